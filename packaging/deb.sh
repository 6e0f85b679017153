#!/usr/bin/env bash
# Builds the Debian package of one architecture (amd64 or arm64), on a machine of any: packaging/deb.sh ARCHITECTURE VERSION OUTPUT
set -euo pipefail
cd "$(dirname "$0")/.."
readonly architecture=$1 version=$2 output=$3

case $architecture in
  amd64) node_arch=x64 ;;
  arm64) node_arch=arm64 ;;
  *) echo "sodium-native has no native part for $architecture: choose amd64 or arm64." >&2; exit 2 ;;
esac
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
umask 022
chmod 755 "$tree"

DESTDIR=$tree PREFIX=/usr NODE_ARCH=$node_arch NODE=/usr/bin/node ZSH_FUNCTIONS=zsh/vendor-completions packaging/lay-out.sh
# dpkg keeps these, and asks before it replaces what the owner has changed.
install -d -m 700 "$tree/etc/tuntox"
install -m 600 etc/tuntox/tuntox.yaml etc/tuntox/nodes.json "$tree/etc/tuntox/"

# What its policy wants: compressed pages, and a list of changes.
find "$tree/usr/share/man" -type f -exec gzip -9n {} +
changes="tuntox ($version) unstable; urgency=medium

  * Built from its sources; see README.md.

 -- the authors of tuntox <tuntox@localhost>  $(date -R -u -d "@$SOURCE_DATE_EPOCH")"
gzip -9n <<<"$changes" >"$tree/usr/share/doc/tuntox/changelog.gz"

mkdir "$tree/DEBIAN"
sed -e "s/@VERSION@/$version/" -e "s/@ARCHITECTURE@/$architecture/" -e "s/@SIZE@/$(du -sk --exclude=DEBIAN "$tree" | cut -f1)/" \
  packaging/debian/control >"$tree/DEBIAN/control"
printf '%s\n' /etc/tuntox/tuntox.yaml /etc/tuntox/nodes.json >"$tree/DEBIAN/conffiles"
install -m 755 packaging/debian/{postinst,prerm,postrm} "$tree/DEBIAN/"
(cd "$tree" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$tree/DEBIAN/md5sums"
chmod 644 "$tree"/DEBIAN/{control,conffiles,md5sums}
dpkg-deb --root-owner-group -Zxz --build "$tree" "$output" >/dev/null

#!/usr/bin/env bash
# Builds the Debian package of one architecture (amd64 or arm64), on a machine of any: packaging/deb.sh ARCHITECTURE VERSION OUTPUT
set -euo pipefail
cd "$(dirname "$0")/.."
readonly architecture=$1 version=$2 output=$3
# Who answers for it, by the variables that Debian's own tools read.
readonly maintainer="${DEBFULLNAME:-the authors of tuntox} <${DEBEMAIL:-tuntox@localhost}>"

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

# What its policy wants: compressed pages, and a list of changes.
find "$tree/usr/share/man" -type f -exec gzip -9n {} +
changes="tuntox ($version) unstable; urgency=medium

  * Built from its sources; see README.md.

 -- $maintainer  $(date -R -u -d "@$SOURCE_DATE_EPOCH")"
# Debian names it so where the version has a revision of Debian's.
log=changelog
[[ $version != *-* ]] || log=changelog.Debian
gzip -9n <<<"$changes" >"$tree/usr/share/doc/tuntox/$log.gz"

mkdir "$tree/DEBIAN"
control=$(<packaging/debian/control)
control=${control//@VERSION@/"$version"}
control=${control//@ARCHITECTURE@/"$architecture"}
control=${control//@MAINTAINER@/"$maintainer"}
control=${control//@SIZE@/"$(du -sk --exclude=DEBIAN "$tree" | cut -f1)"}
printf '%s\n' "$control" >"$tree/DEBIAN/control"
install -m 755 packaging/debian/{postinst,prerm,postrm} "$tree/DEBIAN/"
(cd "$tree" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$tree/DEBIAN/md5sums"
chmod 644 "$tree"/DEBIAN/{control,md5sums}
dpkg-deb --root-owner-group -Zxz --build "$tree" "$output" >/dev/null

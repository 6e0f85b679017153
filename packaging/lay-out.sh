#!/usr/bin/env bash
# Lays out what is installed, below DESTDIR: for `make install` and for the Debian packages. Everything has been built before.
#   PREFIX       where it will be when it runs, such as /usr
#   NODE_ARCH    whose native parts come along, in Node's words: x64 or arm64
#   PRODUCTION   a folder with node_modules as `npm ci --omit=dev` makes it
#   NODE         the first line of the commands, such as /usr/bin/node
#   ZSH_FUNCTIONS, FISH_COMPLETIONS    folders below PREFIX/share, which Debian names otherwise
set -euo pipefail
cd "$(dirname "$0")/.."
: "${DESTDIR=}" "${PREFIX:?}" "${NODE_ARCH:?}" "${PRODUCTION:?}" "${NODE:=/usr/bin/env node}"
: "${ZSH_FUNCTIONS:=zsh/site-functions}" "${FISH_COMPLETIONS:=fish/vendor_completions.d}"
readonly root=$DESTDIR$PREFIX
readonly program=$root/lib/tuntox
readonly native=node_modules/sodium-native/prebuilds/linux-$NODE_ARCH

umask 022
[ -d "$PRODUCTION/$native" ] || { echo "There is no native part for linux-$NODE_ARCH: x64 and arm64 have one." >&2; exit 1; }

# The old program goes whole: a module that is no longer there must not be found.
rm -rf "$program"
mkdir -p "$program/etc/tuntox" "$root/bin"
cp -R "$PRODUCTION/node_modules" "$program/node_modules"
rm -rf "$program"/node_modules/{.bin,.package-lock.json}
# Native parts for other machines, and for another program than Node.
find "$program/node_modules" -depth -name prebuilds -type d -exec rm -rf {} +
mkdir -p "$program/$native"
cp "$PRODUCTION/$native/sodium-native.node" "$program/$native/"
# What only those who develop these modules need.
find "$program/node_modules" \( -name '*.md' -o -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \
  -o -name '*.ts' -o -name '*.yml' -o -name '.*' \) ! -iname 'licen[cs]e*' -type f -delete
find "$program/node_modules" -depth \( -name test -o -name tests -o -name examples -o -name coverage -o -name .github \) \
  -type d -exec rm -rf {} +
mkdir -p "$program/dist"
cp -R dist/src "$program/dist/src"
find "$program/dist" \( -name '*.map' -o -name .tsbuildinfo \) -type f -delete
cp package.json "$program/"
# The daemon and the client read it where there is no /etc/tuntox/nodes.json.
cp etc/tuntox/nodes.json "$program/etc/tuntox/"
find "$program" -type d -exec chmod 755 {} +
find "$program" -type f -exec chmod 644 {} +

for command in "$program"/dist/src/bin/*.js; do
  name=$(basename "$command" .js)
  sed -i "1s|^#!.*|#!$NODE|" "$command"
  chmod 755 "$command"
  ln -sfn "../lib/tuntox/dist/src/bin/$name.js" "$root/bin/$name"
done

install -d "$root/lib/systemd/system" "$root/lib/sysusers.d" "$root/lib/tmpfiles.d"
sed "s|/usr/bin/tuntox|$PREFIX/bin/tuntox|" systemd/tuntox.service >"$root/lib/systemd/system/tuntox.service"
cp systemd/tuntox.sysusers "$root/lib/sysusers.d/tuntox.conf"
cp systemd/tuntox.tmpfiles "$root/lib/tmpfiles.d/tuntox.conf"
chmod 644 "$root"/lib/{systemd/system/tuntox.service,sysusers.d/tuntox.conf,tmpfiles.d/tuntox.conf}

readonly documents=$root/share/doc/tuntox
install -d "$documents/examples/supervisor"
sed "s|/usr/bin/tuntox|$PREFIX/bin/tuntox|" supervisor/tuntox.conf >"$documents/examples/supervisor/tuntox.conf"
install -m 644 README.md "$documents/"
install -m 644 etc/tuntox/tuntox.yaml "$documents/examples/"
node packaging/copyright.js "$PRODUCTION" >"$documents/copyright"
chmod 644 "$documents/copyright" "$documents/examples/supervisor/tuntox.conf"

for page in man/*.[1-8]; do
  install -D -m 644 "$page" "$root/share/man/man${page##*.}/$(basename "$page")"
done

completion() { install -D -m 644 /dev/stdin "$root/share/$1"; }
for shell in bash:bash-completion/completions/ "zsh:$ZSH_FUNCTIONS/_" "fish:$FISH_COMPLETIONS/"; do
  for command in tuntox tuntoxctl; do
    suffix=
    [ "${shell%%:*}" = fish ] && suffix=.fish
    if [ "$command" = tuntoxctl ]; then node dist/src/bin/tuntoxctl.js completion "${shell%%:*}"; else cat "completions/tuntox.${shell%%:*}"; fi |
      completion "${shell#*:}$command$suffix"
  done
done

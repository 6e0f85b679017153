#!/usr/bin/env bash
# Lays out what is installed, below DESTDIR: for `make install` and for the Debian packages. Everything has been built before.
#   PREFIX       where it will be when it runs, such as /usr
#   NODE_ARCH    whose native parts come along, in Node's words: x64 or arm64
#   NODE         the path of Node for the first line of the commands; without it, they run the one of the PATH
#   ZSH_FUNCTIONS, FISH_COMPLETIONS    folders below PREFIX/share, which Debian names otherwise
set -euo pipefail
cd "$(dirname "$0")/.."
: "${DESTDIR=}" "${PREFIX:?}" "${NODE_ARCH:?}" "${NODE=}"
case $NODE in *" "*) echo "NODE=$NODE: give the path of Node alone" >&2; exit 2 ;; esac
: "${ZSH_FUNCTIONS:=zsh/site-functions}" "${FISH_COMPLETIONS:=fish/vendor_completions.d}"
readonly root=$DESTDIR$PREFIX
readonly program=$root/lib/tuntox
readonly native=node_modules/sodium-native/prebuilds/linux-$NODE_ARCH

umask 022
[ -d "$native" ] || { echo "There is no native part for linux-$NODE_ARCH: x64 and arm64 have one." >&2; exit 1; }

# The old program goes whole: a module that is no longer there must not be found.
rm -rf "$program"
mkdir -p "$program/etc/tuntox" "$root/bin"
# The commands bring all modules with them, but machine code. sd-notify is left out: it is built for one Node and against libsystemd's
# headers, and tuntoxd speaks through the program systemd-notify without it.
mkdir -p "$program/dist" "$program/$native"
cp -R dist/bin "$program/dist/bin"
rm "$program/dist/bin/NOTICE" # it becomes a part of the copyright file below
cp "$native/sodium-native.node" "$program/$native/"
cp node_modules/sodium-native/{package.json,LICENSE} "$program/node_modules/sodium-native/"
# UDP in batches, where there was a compiler for that architecture; without it all goes by Node.
if [ -e "dist/native/linux-$NODE_ARCH.node" ]; then install -D "dist/native/linux-$NODE_ARCH.node" "$program/dist/native/linux-$NODE_ARCH.node"; fi
cp package.json "$program/"
# The daemon and the client read nodes.json where there is no /etc/tuntox/nodes.json; the settings are copied to where there are none.
cp etc/tuntox/{nodes.json,tuntox.yaml} "$program/etc/tuntox/"
cp packaging/settings.sh systemd/vpn.sh "$program/"
find "$program" -type d -exec chmod 755 {} +
find "$program" -type f -exec chmod 644 {} +
chmod 755 "$program/settings.sh" "$program/vpn.sh"

for command in "$program"/dist/bin/*.{js,cjs}; do
  [ -z "$NODE" ] || sed -Ei "1s|^#!/usr/bin/env (-S )?node|#!$NODE|" "$command"
  chmod 755 "$command"
  file=$(basename "$command")
  ln -sfn "../lib/tuntox/dist/bin/$file" "$root/bin/${file%.*}"
done

install -d "$root/lib/systemd/"{system,user} "$root/lib/sysusers.d" "$root/lib/tmpfiles.d" "$root/lib/sysctl.d"
for unit in tuntox.service:system user/tuntox.service:user; do
  sed "s|/usr/bin/tuntox|$PREFIX/bin/tuntox|" "systemd/${unit%:*}" >"$root/lib/systemd/${unit#*:}/tuntox.service"
done
sed "s|/usr/lib/tuntox|$PREFIX/lib/tuntox|g" systemd/tuntox-vpn@.service >"$root/lib/systemd/system/tuntox-vpn@.service"
cp systemd/tuntox.sysusers "$root/lib/sysusers.d/tuntox.conf"
cp systemd/tuntox.tmpfiles "$root/lib/tmpfiles.d/tuntox.conf"
cp systemd/tuntox.sysctl "$root/lib/sysctl.d/10-tuntox.conf"
chmod 644 "$root"/lib/{systemd/{{system,user}/tuntox.service,system/tuntox-vpn@.service},sysusers.d/tuntox.conf,tmpfiles.d/tuntox.conf,sysctl.d/10-tuntox.conf}

readonly documents=$root/share/doc/tuntox
install -d "$documents/examples/"{supervisor,systemd} "$documents/docs/"{schema/params,performance,recording}
sed "s|/usr/bin/tuntox|$PREFIX/bin/tuntox|" supervisor/tuntox.conf >"$documents/examples/supervisor/tuntox.conf"
install -m 644 README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md "$documents/"
install -m 644 docs/*.{md,svg} "$documents/docs/"
install -m 644 docs/recording/*.svg "$documents/docs/recording/"
install -m 644 docs/performance/*.{md,svg} "$documents/docs/performance/"
install -m 644 docs/schema/*.json "$documents/docs/schema/"
install -m 644 docs/schema/params/*.json "$documents/docs/schema/params/"
install -m 644 etc/tuntox/tuntox.yaml "$documents/examples/"
install -m 644 systemd/*.conf "$documents/examples/systemd/"
cat packaging/copyright dist/bin/NOTICE >"$documents/copyright"
chmod 644 "$documents/copyright" "$documents/examples/supervisor/tuntox.conf"

for page in man/*.[1-8]; do
  install -D -m 644 "$page" "$root/share/man/man${page##*.}/$(basename "$page")"
done

completion() { install -D -m 644 /dev/stdin "$root/share/$1"; }
for shell in bash:bash-completion/completions/ "zsh:$ZSH_FUNCTIONS/_" "fish:$FISH_COMPLETIONS/"; do
  for command in tuntox tuntoxctl tuntoxd; do
    suffix=
    [ "${shell%%:*}" = fish ] && suffix=.fish
    if [ "$command" = tuntoxctl ]; then node dist/bin/tuntoxctl.js completion "${shell%%:*}"; else cat "completions/$command.${shell%%:*}"; fi |
      completion "${shell#*:}$command$suffix"
  done
done

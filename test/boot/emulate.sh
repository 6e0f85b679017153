#!/usr/bin/env bash
# `make emulate`, and a part of `make soak`: the Debian package for arm64 in a Debian 13 for arm64, whose programs qemu runs on this
# amd64; at the other end of its tunnels, and before and after it on its files, is what runs here. systemd 257 comes up under
# qemu-user 7.2, and then starts no service (`Failed to spawn executor: Invalid argument`), so nothing is booted: `make boot` shows systemd.
# Needs root, debootstrap, systemd-container and qemu-user-static; see machine.sh and emulator.sh, and checks.sh for what it prints.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source-path=SCRIPTDIR source=checks.sh
. test/boot/checks.sh
# shellcheck source-path=SCRIPTDIR source=emulator.sh
. test/boot/emulator.sh
ARCHITECTURE=arm64
readonly PACKAGES=systemd,adduser,nodejs,procps
# shellcheck source-path=SCRIPTDIR source=machine.sh
. test/boot/machine.sh

readonly PAYLOAD_MIB=8
# Where both sides see it.
readonly SHARED=/srv/shared

trap 'halt; emulate_no_more' EXIT
trap 'exit 130' INT TERM
explain() { tail -n 30 "$layer"/root$SHARED/*.log; }

[ "$(dpkg --print-architecture 2>/dev/null)" = amd64 ] || give_up "this is about arm64 emulated on amd64; on arm64 itself, make boot shows its package"
missing=$(requirements qemu-aarch64-static:qemu-user-static curl:curl python3:python3 | paste -sd ' ')
[ -z "$missing" ] || give_up "emulating arm64 needs $missing (apt-get install debootstrap systemd-container qemu-user-static curl python3)"
emulate && make_base && start_idle || give_up "programs of Debian $SUITE for arm64 run here"
note "Debian $(cat "$layer/root/etc/debian_version"), node $(on node -p 'process.version + " " + process.arch'), $(qemu-aarch64-static --version | head -n 1)"

# Runs a program of this machine beside the other, in its network, and ends with it: beside COMMAND…
beside() { nsenter --target "$leader" --net --pid -- env -i "PATH=$PATH" HOME=/nonexistent LANG=C.UTF-8 "$@" </dev/null; }
# Its output goes into NAME.log, its exit status into NAME.status: in_background NAME on|beside COMMAND…
in_background() {
  rm -f "$shared/$1.status"
  # Nothing of it holds the output of `check` open.
  { "${@:2}"; echo $? >"$shared/$1.status"; } >>"$shared/$1.log" 2>&1 &
}
shared=$layer/root$SHARED
mkdir -p "$shared"

# --- what is installed

check "the package is built" package 1
check "a newer package is built" package 2
[ -s "$layer/root/root/tuntox_$version-2.deb" ] || give_up
check "apt-get installs the package, with nothing else to be fetched" install_package 1
[ "$failed" -eq 0 ] || stop
verified() { [ -z "$(on dpkg --verify tuntox | tee /dev/stderr)" ] && [ -z "$(on dpkg --audit | tee /dev/stderr)" ]; }
check "dpkg finds every file as it was packed" verified
check "nothing is enabled that the owner did not enable" sh -c '[ "$1" = disabled ]' - "$(on systemctl is-enabled tuntox)"
check "settings are root's, in a directory where the daemon makes files of its own" is_private
readonly ADDON=/usr/lib/tuntox/node_modules/sodium-native/prebuilds/linux-arm64/sodium-native.node
linked() { on ldd $ADDON && ! on ldd $ADDON | grep 'not found'; }
check "every library that sodium-native needs is there" linked
check "Node loads sodium-native" on node -e "if (process.arch !== 'arm64') throw process.arch; require('$ADDON').sodium_memzero"
tells_versions() { local name; for name in tuntox tuntoxd tuntoxctl; do on $name --version | grep -F "${version}" || return; done; }
check "the three commands tell their version" tells_versions

# --- a Tox network of the machine's own

in_background node beside node dist/bin/tuntox.cjs --node -C "$shared/node" -u 33500:33500
within $PATIENCE grep -Eq '^[0-9]+:[0-9A-F]{64}$' "$shared/node.log" || give_up
node=127.0.0.1:$(grep -E '^[0-9]+:[0-9A-F]{64}$' "$shared/node.log")
on sed -i "s|^network:.*|network:\n  port_mapping: false\n  bootstrap: [\"$node\"]|" /etc/tuntox/tuntox.yaml
check "the settings are good" on runuser -u tuntox -- tuntoxd --check
refuses_mistake() {
  on sh -c "sed 's|^network:|netwrok:|' /etc/tuntox/tuntox.yaml >$SHARED/wrong.yaml"
  on tuntoxd --check --config $SHARED/wrong.yaml 2>&1 | grep 'network'
  [ "${PIPESTATUS[0]}" = 2 ]
}
check "a mistake in them is found, with the right word" refuses_mistake

# --- the daemon, without a service manager but with somebody who listens in its place

readonly PID_FILE=/run/tuntox/tuntoxd.pid
# As supervisord does, see supervisor/tuntox.conf.
readonly AS_TUNTOX='setpriv --reuid=tuntox --regid=tuntox --init-groups --inh-caps=-all --bounding-set=-all --no-new-privs'
start_arm64() {
  in_background arm64 on $AS_TUNTOX env NOTIFY_SOCKET=$SHARED/notify tuntoxd -F $PID_FILE
  within $PATIENCE answers ctl_arm64
}
ctl_arm64() { on tuntoxctl "$@"; }
answers() { "$1" status --json >/dev/null || [ $? -eq 6 ]; }
# end_daemon arm64|amd64 on|beside PID_FILE
end_daemon() {
  "$2" sh -c 'kill -TERM "$(cat "$1")"' - "$3" && within $PATIENCE test -s "$shared/$1.status" && grep -x 0 "$shared/$1.status"
}
# What a daemon reads from its files: kept ctl_arm64|ctl_amd64.
kept() { "$1" id --json && "$1" whitelist list --json; }

in_background notified beside python3 test/boot/notified.py "$shared/notify"
within $PATIENCE test -S "$shared/notify" || give_up
check "systemd-tmpfiles makes the directory of the socket" on systemd-tmpfiles --create tuntox.conf
as_user() {
  in_background user on tuntoxd -U tuntox -F /run/user.pid
  within $PATIENCE answers ctl_arm64 && on sh -c '[ "$(stat -c %U "/proc/$(cat /run/user.pid)")" = tuntox ]' &&
    [ "$(on stat -c %U /etc/tuntox/tox_save)" = tuntox ] && end_daemon user on /run/user.pid
}
check "tuntoxd -U becomes the user by another process, as Debian's Node refuses to" as_user
check "tuntoxd in the foreground opens its socket" start_arm64
[ "$failed" -eq 0 ] || give_up
check "it says READY=1 by systemd-notify" within $PATIENCE grep -q '^READY=1' "$shared/notified.log"
check "it runs as tuntox" on sh -c '[ "$(stat -c %U "/proc/$(cat "$1")")" = tuntox ]' - $PID_FILE
check "it starts closed, and status says so with 6" on sh -c 'tuntoxctl status; [ $? -eq 6 ]'
tox_id=$(on tuntoxctl id)

# --- tunnels

umask 077
dd if=/dev/urandom of="$shared/payload" bs=1M count=$PAYLOAD_MIB status=none
sum=$(sha256sum "$shared/payload" | cut -d ' ' -f 1)
in_background service beside node test/boot/service.js 8080 "$shared/payload"

fetch() { beside curl --silent --fail --max-time $PATIENCE "$@"; }
# Through the tunnel at a port: brings PORT, takes PORT.
brings() { [ "$(fetch "http://127.0.0.1:$1/" | sha256sum | cut -d ' ' -f 1)" = "$sum" ]; }
takes() { [ "$(fetch --data-binary "@$shared/payload" "http://127.0.0.1:$1/")" = "$sum" ]; }
carries() {
  local start
  check "$1 gets in" within $PATIENCE fetch --output /dev/null --data x "http://127.0.0.1:$2/"
  start=$(date +%s%N)
  check "$PAYLOAD_MIB MiB come through its tunnel as they were" brings "$2"
  check "and $PAYLOAD_MIB MiB go the other way" takes "$2"
  note "both in $((($(date +%s%N) - start) / 1000000)) ms"
}
# The flags of a client that has its files in DIRECTORY, as it sees them: client DIRECTORY PORT.
client() { echo "-i $tox_id --bootstrap $node -C $1 -I $1/id --secret-file $1/secret -L $2:127.0.0.1:8080"; }
# Keeps the secret that is shown once: new_secret FOR WHOM, ctl_arm64|ctl_amd64.
new_secret() {
  local change
  change=$("$2" secret rotate --grace 24h --json) &&
    node -e 'process.stdout.write(JSON.parse(process.argv[1]).secret)' "$change" >"$shared/$1/secret"
}

mkdir "$shared"/{laptop,board}
check "tuntoxctl secret rotate makes a secret" new_secret laptop ctl_arm64
# shellcheck disable=SC2046 # No word of it has a space.
in_background laptop beside node dist/bin/tuntox.cjs $(client "$shared/laptop" 9000)
within $PATIENCE test -s "$shared/laptop/id" || give_up
check "tuntoxctl whitelist add takes a client" on tuntoxctl whitelist add "$(<"$shared/laptop/id")" --name laptop --note 'from arm64' --yes
carries "with both, a client for amd64" 9000
check "tuntoxctl clients list names it" on sh -c 'tuntoxctl clients list | grep laptop'

# --- the files of one architecture read by the other

made_by_arm64=$(kept ctl_arm64)
check "SIGTERM ends it in order" end_daemon arm64 on $PID_FILE
check "and takes its pid file away" on test ! -e $PID_FILE

readonly MOVED=$shared/moved
ctl_amd64() { beside node dist/bin/tuntoxctl.js --socket "$MOVED/tuntoxd.sock" "$@"; }
start_amd64() {
  in_background amd64 beside node dist/bin/tuntoxd.js -c "$MOVED/tuntox.yaml" -C "$MOVED" -F "$MOVED/pid" \
    --socket-path "$MOVED/tuntoxd.sock" --socket-group root
  within $PATIENCE answers ctl_amd64
}
# Whose files they are: same DESCRIPTION ctl_arm64|ctl_amd64.
same() { diff <(echo "$1") <(kept "$2"); }

cp -r "$layer/root/etc/tuntox" "$MOVED"
check "tuntoxd for amd64 starts with what that for arm64 has kept" start_amd64
check "it has the same Tox ID and whitelist" same "$made_by_arm64" ctl_amd64
check "and lets the client in by the secret that it had" within $PATIENCE brings 9000
check "it makes a new secret" new_secret board ctl_amd64
# shellcheck disable=SC2046
in_background board on tuntox $(client $SHARED/board 9001)
within $PATIENCE test -s "$shared/board/id" || give_up
check "and takes another client" ctl_amd64 whitelist add "$(<"$shared/board/id")" --name board --expires 30d --allow 127.0.0.1:8080 --yes
carries "that client, for arm64," 9001
made_by_amd64=$(kept ctl_amd64)
check "SIGTERM ends it in order" end_daemon amd64 beside "$MOVED/pid"

moved_back() { on sh -c 'cp "$1"/tox_save "$1"/*.json /etc/tuntox/ && chown tuntox:tuntox /etc/tuntox/tox_save /etc/tuntox/*.json' - $SHARED/moved && start_arm64; }
check "tuntoxd for arm64 starts with what that for amd64 has kept" moved_back
check "it has the same Tox ID and whitelist" same "$made_by_amd64" ctl_arm64
check "and lets in who has the old secret" within $PATIENCE brings 9000
check "and who has the new one" within $PATIENCE brings 9001
check "SIGTERM ends it in order" end_daemon arm64 on $PID_FILE

# --- upgrade, remove, purge

upgrade() { install_package 2 && on grep -q 33500 /etc/tuntox/tuntox.yaml && verified_but_settings; }
verified_but_settings() { [ "$(on dpkg --verify tuntox | grep -v ' c /etc/tuntox/tuntox.yaml$')" = '' ]; }
check "an upgrade keeps the settings that were changed" upgrade
remove() { on apt-get remove --yes tuntox && on test -s /etc/tuntox/tox_save && ! on test -e /usr/bin/tuntoxd; }
check "removing keeps the identity" remove
again() { install_package 2 && start_arm64 && same "$made_by_amd64" ctl_arm64 && end_daemon arm64 on $PID_FILE; }
check "installed again it is the same, with its whitelist" again
check "purging takes all of it away" purge

stop

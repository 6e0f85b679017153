#!/usr/bin/env bash
# `make boot`: daemons of users, without root, under the service managers of their users on a booted Debian 13; beside the one of the machine.
# Needs root, debootstrap and systemd-container; see machine.sh, and checks.sh for what it prints.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source-path=SCRIPTDIR source=checks.sh
. test/boot/checks.sh
# The service manager of a user needs libpam-systemd, and only with dbus-user-session can packages restart its units.
readonly PACKAGES=systemd,systemd-sysv,libpam-systemd,dbus,dbus-user-session,adduser,nodejs,procps,python3,curl
readonly TUNTOX_BOOT_CACHE=${TUNTOX_BOOT_CACHE:-/var/cache/tuntox-boot/user-daemon}
# shellcheck source-path=SCRIPTDIR source=machine.sh
. test/boot/machine.sh

trap 'halt' EXIT
trap 'exit 130' INT TERM
explain() { on journalctl --no-pager -n 60; }

missing=$(requirements | paste -sd ' ')
[ -z "$missing" ] || give_up "the boot test needs $missing (apt-get install debootstrap systemd-container)"
make_base && boot || give_up "Debian $SUITE boots"
package 1 && package 2 || give_up "the packages are built"
install_package 1 >/dev/null 2>&1 || give_up "the package is installed"

# As a user in a session, and as one after su: as NAME COMMAND…
as() { on runuser -u "$1" -- env "HOME=/home/$1" "XDG_RUNTIME_DIR=/run/user/$(on id -u "$1")" "${@:2}"; }
after_su() { on runuser -u "$1" -- env "HOME=/home/$1" "${@:2}"; }

on mkdir -p /srv/node
on systemd-run --quiet --unit=node --property=StandardOutput=file:/srv/node/out tuntox --node -C /srv/node -u 33500:33500
within $PATIENCE on grep -Eq '^[0-9]+:[0-9A-F]{64}$' /srv/node/out || give_up
node=127.0.0.1:$(on grep -E '^[0-9]+:[0-9A-F]{64}$' /srv/node/out)
readonly SETTINGS="network:\n  port_mapping: false\n  bootstrap: [\"$node\"]\n"
on sed -i "s|^network:.*|${SETTINGS%\\n}|" /etc/tuntox/tuntox.yaml
for name in ann ben; do
  on useradd --create-home --shell /bin/bash "$name"
  as "$name" mkdir -p -m 700 "/home/$name/.config/tuntox" "/home/$name/.ssh"
  as "$name" sh -c "printf '$SETTINGS' >~/.config/tuntox/tuntox.yaml"
done

answers() { as "$1" tuntoxctl status --json >/dev/null || [ $? -eq 6 ]; }
identity() { as "$1" tuntoxctl id; }
main_pid() { as "$1" systemctl --user show -P MainPID tuntox; }
lingers() { on loginctl enable-linger ann && on loginctl enable-linger ben && within $PATIENCE as ann systemctl --user is-system-running --wait; }
# A machine in which something else has failed is degraded, and works.
lingers || [ "$(as ann systemctl --user is-system-running)" = degraded ] || give_up "the service managers of the users run"
starts() { as "$1" systemctl --user enable --now tuntox && answers "$1"; }
check "systemctl --user enable --now returns when tuntoxctl of the user works" starts ann
check "a second user has another one at the same time" starts ben
differ() { [ -n "$(identity ann)" ] && [ "$(identity ann)" != "$(identity ben)" ]; }
check "with another identity" differ
check "neither was restarted" [ "$(as ann systemctl --user show -P NRestarts tuntox)" = 0 ]
is_private() {
  local run
  run=/run/user/$(on id -u ann)/tuntox
  [ "$(owners "$run" "$run/tuntoxd.sock" "$run/agent.sock" /home/ann/.local/state/tuntox /home/ann/.local/state/tuntox/tox_save)" = \
    'ann:ann 700 ann:ann 600 ann:ann 600 ann:ann 700 ann:ann 600' ] && ! as ben test -e "$run/tuntoxd.sock"
}
check "its sockets and its state are for the user alone" is_private
check "after su, without a session, tuntoxctl finds the same one" [ "$(after_su ann tuntoxctl id)" = "$(identity ann)" ]
sees_no_keys() { on stat -c 'mode %a' "/proc/$(main_pid ann)/root/home/ann/.ssh" | grep -x 'mode 0'; }
check "its sandbox hides ~/.ssh" sees_no_keys
has_no_rights() { on grep -q '^NoNewPrivs:.1' "/proc/$(main_pid ann)/status" && on grep -q '^Seccomp:.2' "/proc/$(main_pid ann)/status"; }
check "it gets no new rights, and its system calls are filtered" has_no_rights
check "systemctl --user status shows what it is doing" as ann sh -c 'systemctl --user show -P StatusText tuntox | grep -q clients:'
note "$(as ann systemd-analyze --user security --no-pager tuntox | tail -n 1)"

reloads() {
  as ann systemctl --user reload tuntox || return
  as ann sed -i.good 's|^network:|netwrok:|' /home/ann/.config/tuntox/tuntox.yaml
  as ann systemctl --user reload tuntox && { echo "a bad file was taken"; return 1; }
  as ann mv /home/ann/.config/tuntox/tuntox.yaml.good /home/ann/.config/tuntox/tuntox.yaml && as ann systemctl --user reload tuntox
}
check "systemctl --user reload works, and fails for a bad file" reloads
comes_back() { [ "$(main_pid ann)" != "$1" ] && answers ann; }
is_restarted() {
  local id pid
  id=$(identity ann) && pid=$(main_pid ann) && [ "$pid" -gt 1 ] && on kill -KILL "$pid" && within $PATIENCE comes_back "$pid" && [ "$(identity ann)" = "$id" ]
}
check "killed, it is started again with the same identity" is_restarted

# --- a forward from one user's daemon to the other's

on systemd-run --quiet --unit=www python3 -m http.server --bind 127.0.0.1 --directory /srv 8080
forwards() {
  as ben tuntoxctl whitelist add "$(identity ann)" --name ann --allow 127.0.0.1:8080 &&
    as ann tuntoxctl forward add "$(identity ben)" 9300:127.0.0.1:8080 && within $PATIENCE fetch
}
fetch() { on curl --silent --fail --max-time $PATIENCE --output /dev/null http://127.0.0.1:9300/; }
check "tuntoxctl forward add leads to a service of the other one" forwards
again() { on systemctl restart "user@$(on id -u ann)" && within $PATIENCE answers ann && within $PATIENCE fetch; }
check "with linger it is there again when the machine starts, before any login" again
# --- beside the daemon of the machine

system_id() { on tuntoxctl id; }
both() {
  on systemctl enable --now tuntox && on usermod -aG tuntox ann && [ "$(system_id)" != "$(identity ann)" ] &&
    [ "$(as ann tuntoxctl --system id)" = "$(system_id)" ] && [ "$(as ann tuntoxctl --user id 2>&1)" = "$(identity ann)" ]
}
check "the daemon of the machine runs beside it, and --system and --user choose" both
says_which() { as ann tuntoxctl id 2>&1 >/dev/null | grep 'this is your own daemon .*--system' && ! as ben tuntoxctl id 2>&1 >/dev/null | grep .; }
check "one who may use both is told which one it is" says_which
no_weaker() {
  as ann sh -c 'printf "access:\n  open: true\n" >>~/.config/tuntox/tuntox.yaml' && on systemctl restart tuntox &&
    on tuntoxctl config show --json | grep '"access.open","value":false' && as ann systemctl --user restart tuntox &&
    as ann tuntoxctl --user config show --json | grep '"access.open","value":true'
}
check "settings of a user open the user's daemon only" no_weaker
# --- users of the machine, by the connections of its daemon: cas is a member of the group tuntox, dan is not

for name in cas dan; do on useradd --create-home --shell /bin/bash "$name"; done
on usermod -aG tuntox cas
is_connected() { on tuntoxctl forward list --json | grep '"connected"'; }
leads_to_ben() {
  as ben tuntoxctl whitelist add "$(system_id)" --name machine --allow 127.0.0.1:8080 --allow 127.0.0.1:8081 &&
    on tuntoxctl forward add "$(identity ben)" 9400:127.0.0.1:8080 && within $PATIENCE is_connected
}
check "the daemon of the machine has a forward to a service of ben's" leads_to_ben
admit_users() {
  on sed -i "/^  users:/d; s|^agent:.*|agent:\n  users: $1|" /etc/tuntox/tuntox.yaml && on systemctl restart tuntox && within $PATIENCE is_connected
}
# A page of ben's, by the connection of the daemon: by_daemon NAME [PORT]
by_daemon() {
  local said
  said=$(after_su "$1" sh -c "printf 'GET / HTTP/1.0\r\n\r\n' | tuntox -d --timeout 5 -i $(identity ben) -W 127.0.0.1:${2:-8080}" 2>&1)
  printf '%s\n' "$said" && grep -q 'using the connection of the daemon of this machine' <<<"$said" && grep -q '^HTTP/1.0 200' <<<"$said"
}
# Alone, none of them is admitted by ben.
not_by_daemon() { local said; said=$(by_daemon "$@") && return 1; grep 'connecting to' <<<"$said" && ! grep 'connection of the daemon' <<<"$said"; }
check "by default no user has its connections" not_by_daemon cas
check "agent.users: group, and the daemon starts" admit_users group
group_has_it() { [ "$(owners /run/tuntox/agent.sock)" = 'tuntox:tuntox 660' ] && by_daemon cas; }
check "a member of the group reaches the target of the forward" group_has_it
check "and no other one of the same server" not_by_daemon cas 8081
check "a user outside of the group has none of it" not_by_daemon dan
fetch_by_cas() { on curl --silent --fail --max-time $PATIENCE --output /dev/null http://127.0.0.1:9500/; }
outlives() {
  on systemd-run --quiet --unit=cas --uid=cas --setenv=HOME=/home/cas tuntox -i "$(identity ben)" -L 9500:127.0.0.1:8080 && within $PATIENCE fetch_by_cas &&
    on systemctl restart tuntox && within $PATIENCE is_connected && within $PATIENCE fetch_by_cas && [ "$(on systemctl is-active cas)" = active ]
}
check "a client with -L outlives a restart of the daemon" outlives
on systemctl stop cas
admit_all() {
  on mkdir -p /etc/systemd/system/tuntox.service.d && on sh -c "printf '[Service]\nRuntimeDirectoryMode=0755\n' >/etc/systemd/system/tuntox.service.d/all.conf" &&
    on systemctl daemon-reload && admit_users all && [ "$(owners /run/tuntox /run/tuntox/agent.sock /run/tuntox/tuntoxd.sock)" = 'tuntox:tuntox 755 tuntox:tuntox 666 tuntox:tuntox 660' ]
}
check "agent.users: all, with RuntimeDirectoryMode=0755, opens that socket alone" admit_all
check "every user reaches the target" by_daemon dan
check "and no other one" not_by_daemon dan 8081
removed_forward() { on tuntoxctl forward remove 9400 && not_by_daemon dan; }
check "when the owner removes the forward, nobody does" removed_forward

# --- when none runs

names_both() {
  as ann systemctl --user stop tuntox && on systemctl stop tuntox || return
  local said
  said=$(as ann tuntoxctl status 2>&1) && return 1
  grep -q '/run/tuntox/tuntoxd.sock' <<<"$said" && grep -q "/run/user/$(on id -u ann)/tuntox/tuntoxd.sock" <<<"$said"
}
check "when none runs, both places are named" names_both
as ann systemctl --user start tuntox

# --- upgrade, remove

upgraded() { local pid; pid=$(main_pid ann); install_package 2 && within $PATIENCE comes_back "$pid"; }
check "an upgrade restarts it" upgraded
removed() { on apt-get remove --yes tuntox && [ "$(as ann systemctl --user is-active tuntox)" != active ] && on test -s /home/ann/.local/state/tuntox/tox_save; }
check "removing the package stops it, and keeps the identity" removed

stop

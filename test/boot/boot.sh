#!/usr/bin/env bash
# `make boot`, and the end of `make soak`: the Debian package on a booted Debian 13 with a real systemd, and under its supervisord.
# Needs root, debootstrap and systemd-container; see machine.sh, and checks.sh for what it prints.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source-path=SCRIPTDIR source=checks.sh
. test/boot/checks.sh
readonly PACKAGES=systemd,systemd-sysv,dbus,adduser,nodejs,procps,iproute2,python3,supervisor,curl,socat
# shellcheck source-path=SCRIPTDIR source=machine.sh
. test/boot/machine.sh

# More than WatchdogSec of the unit, RestartSec, and a start.
readonly WATCHDOG_PATIENCE=120
readonly PAYLOAD_MIB=64

trap 'halt' EXIT
trap 'exit 130' INT TERM
explain() { on journalctl --no-pager -u tuntox -n 40; }

missing=$(requirements | paste -sd ' ')
[ -z "$missing" ] || give_up "the boot test needs $missing (apt-get install debootstrap systemd-container)"

# As udev makes it: where none runs, that of the host is for root alone.
make_tun() { [ -e "$CACHE/tun" ] || mknod -m 666 "$CACHE/tun" c 10 200; }

# --- what is installed

same_after_uninstall() {
  local destination left
  destination=$(mktemp -d)
  DESTDIR=$destination PREFIX=/usr/local packaging/install.sh >/dev/null &&
    echo 'log: {level: debug}' >"$destination/etc/tuntox/tuntox.yaml" &&
    DESTDIR=$destination PREFIX=/usr/local packaging/install.sh >/dev/null &&
    grep -q debug "$destination/etc/tuntox/tuntox.yaml" && "$destination/usr/local/bin/tuntox" --version &&
    DESTDIR=$destination PREFIX=/usr/local packaging/uninstall.sh >/dev/null
  local status=$?
  left=$(cd "$destination" && find . -type f -o -type l | sort | paste -sd ' ')
  rm -rf "$destination"
  echo "$left"
  [ "$status" -eq 0 ] && [ "$left" = './etc/tuntox/tuntox.yaml' ]
}
check "make install keeps changed settings, and make uninstall leaves the settings alone" same_after_uninstall

make_base && make_tun && boot --bind="$CACHE/tun:/dev/net/tun" || give_up "Debian $SUITE boots"
note "Debian $(cat "$layer/root/etc/debian_version"), node $(on node --version), $(on systemctl --version | head -n 1)"
check "the package is built" package 1
check "a newer package is built" package 2
[ -s "$layer/root/root/tuntox_$version-2.deb" ] || give_up

is_off() { [ "$(on systemctl is-enabled tuntox)" = disabled ] && [ "$(on systemctl is-active tuntox)" = inactive ]; }
check "apt-get installs the package, with nothing else to be fetched" install_package 1
[ "$failed" -eq 0 ] || stop
check "nothing is started that the owner did not start" is_off
check "settings are root's, in a directory where the daemon makes files of its own" is_private
check "the three commands tell their version" on sh -c 'tuntox --version && tuntoxd --version && tuntoxctl --version'
readonly COMPLETE_TUNTOX='. /usr/share/bash-completion/completions/tuntox && COMP_WORDS=(tuntox "") COMP_CWORD=1 && _tuntox && printf "%s\n" "${COMPREPLY[@]}"'
completes_commands() {
  [ "$(on bash -c "$COMPLETE_TUNTOX" | grep -xE 'share|join' | paste -sd ' ')" = 'share join' ] &&
    on grep 'share join' /usr/share/zsh/vendor-completions/_tuntox && on grep 'share join' /usr/share/fish/vendor_completions.d/tuntox.fish
}
check "the completions of tuntox for bash, zsh and fish know share and join" completes_commands

# --- a Tox network of the machine's own

on mkdir -p /srv/node /srv/client /srv/www
on systemd-run --quiet --unit=node --property=StandardOutput=file:/srv/node/out tuntox --node -C /srv/node -u 33500:33500
within $PATIENCE on grep -Eq '^[0-9]+:[0-9A-F]{64}$' /srv/node/out || give_up
node=127.0.0.1:$(on grep -E '^[0-9]+:[0-9A-F]{64}$' /srv/node/out)
on sed -i "s|^network:.*|network:\n  port_mapping: false\n  bootstrap: [\"$node\"]|" /etc/tuntox/tuntox.yaml
check "the settings are good, as the daemon reads them" on tuntoxd --check

# systemd counts the starts of a unit (StartLimitBurst), and these tests make more of them in a minute than an owner does.
# There is nothing to reset where the unit is stopped, and so not loaded.
restart_unit() { on systemctl reset-failed tuntox 2>/dev/null; on systemctl restart tuntox; }
answers() { on tuntoxctl status --json >/dev/null || [ $? -eq 6 ]; }
enable_now() { on systemctl enable --now tuntox && answers; }
identity() { on tuntoxctl id --json; }
check "systemctl enable --now returns when tuntoxctl status works" enable_now
first=$(identity)
is_own() { [ "$(owners /etc/tuntox/tox_save)" = 'tuntox:tuntox 600' ]; }
check "the identity beside them is its own" is_own
# As somebody would try who runs code as the daemon.
as_daemon() { on runuser -u tuntox -- "$@"; }
cannot_change_settings() {
  local act
  for act in 'echo >>tuntox.yaml' 'rm -f tuntox.yaml' 'mv tuntox.yaml mine' 'mv tox_save tuntox.yaml' 'ln -f tox_save tuntox.yaml' 'chmod 777 .' 'chmod 666 tuntox.yaml'; do
    as_daemon sh -c "cd /etc/tuntox && $act" 2>/dev/null && { echo "it may: $act"; return 1; }
  done
  is_private && is_own
}
check "the daemon's user cannot change or replace them" cannot_change_settings
checks_as_daemon() {
  on install -m 600 /dev/null /etc/tuntox/rules && on sed -i.good 's|^targets:|targets:\n  rules_file: /etc/tuntox/rules|' /etc/tuntox/tuntox.yaml
  on tuntoxd --check
  local status=$?
  on mv /etc/tuntox/tuntox.yaml.good /etc/tuntox/tuntox.yaml && on rm /etc/tuntox/rules && on chgrp tuntox /etc/tuntox/tuntox.yaml && [ $status -eq 2 ]
}
check "tuntoxd --check by root finds what the daemon could not read" checks_as_daemon
check "systemctl status shows what it is doing" on sh -c 'systemctl show -P StatusText tuntox | grep -q clients:'
check "it starts closed, and status says so with 6" on sh -c 'tuntoxctl status; [ $? -eq 6 ]'
check "systemd-analyze security finds an exposure of 1.4 at most" on systemd-analyze security --no-pager --threshold=14 tuntox
note "$(on systemd-analyze security --no-pager tuntox | tail -n 1)"

as_stranger() { ! on runuser -u nobody -- tuntoxctl status && [ "$(on runuser -u nobody -- tuntoxctl status >/dev/null 2>&1; echo $?)" = 4 ]; }
check "a user outside of the group may not manage it, and is told by 4" as_stranger
on useradd --groups tuntox member
as_member() { on runuser -u member -- tuntoxctl status --json >/dev/null || [ $? -eq 6 ]; }
check "a member of the group tuntox may" as_member

credential() {
  on mkdir -p /etc/credstore && on sh -c 'umask 077 && printf "a long secret" >/etc/credstore/tuntox.secret' && restart_unit &&
    on tuntoxctl secret status --json | grep credential
}
check "a secret in /etc/credstore reaches the daemon" credential
on rm /etc/credstore/tuntox.secret
refuses_mistake() {
  on sed -i.good 's|^network:|netwrok:|' /etc/tuntox/tuntox.yaml
  restart_unit && return 1
  sleep 3
  [ "$(on systemctl is-active tuntox)" = failed ] && [ "$(on systemctl show -P NRestarts tuntox)" = 0 ] &&
    on journalctl --no-pager -u tuntox -n 20 | grep -q 'network'
  local status=$?
  on mv /etc/tuntox/tuntox.yaml.good /etc/tuntox/tuntox.yaml
  restart_unit && [ "$status" -eq 0 ]
}
check "a mistake in the settings is said in the log, and not tried again and again" refuses_mistake

# --- a client

on dd if=/dev/urandom of=/srv/www/payload bs=1M count=$PAYLOAD_MIB status=none
sum=$(on sha256sum /srv/www/payload | cut -d ' ' -f 1)
on systemd-run --quiet --unit=www python3 -m http.server --bind 127.0.0.1 --directory /srv/www 8080
tox_id=$(on tuntoxctl id)
on systemd-run --quiet --unit=client tuntox -i "$tox_id" --bootstrap "$node" -C /srv/client -I /srv/client/id -L 9000:127.0.0.1:8080
within $PATIENCE on test -s /srv/client/id || give_up
fetch() { on curl --silent --fail --max-time $PATIENCE --output /dev/null "http://127.0.0.1:9000/$1"; }
# The client must have been refused first; then only the command admits it.
sleep 15
check "a client that is not admitted reaches nothing" on sh -c '! curl --silent --fail --max-time 3 http://127.0.0.1:9000/'
add() { on tuntoxctl whitelist add "$(on cat /srv/client/id)" --name laptop; }
check "tuntoxctl whitelist add takes the client" add
before=$(date +%s%N)
check "and lets it in at once" within $PATIENCE fetch ''
note "in after $((($(date +%s%N) - before) / 1000000)) ms"
check "tuntoxctl clients list names it" on sh -c 'tuntoxctl clients list | grep -q laptop'
shares_and_joins() {
  on systemd-run --quiet --unit=share --property=StandardOutput=file:/srv/share tuntox share 8080 --bootstrap "$node"
  within $PATIENCE on grep -q 'tuntox join tuntox://' /srv/share || return
  on systemd-run --quiet --unit=join tuntox join "$(on sed -n 's/^ *tuntox join //p' /srv/share)" --bootstrap "$node" -L 9200:127.0.0.1:8080
  within $PATIENCE on curl --silent --fail --max-time $PATIENCE --output /dev/null http://127.0.0.1:9200/
}
check "tuntox join reaches the service by the link of tuntox share" shares_and_joins
on systemctl stop join share

# --- a VPN (docs/vpn.md): its server end, in the sandbox of the unit

on mkdir /srv/vpn
printf 'ROLE=server\nPORT=5999\nADDRESS=10.77.0.1/24\nPEER=10.77.0.2\n' >"$layer/root/etc/tuntox-vpn/home.conf"
cp test/boot/ping-vpn.py "$layer/root/srv/vpn/"
check "systemctl start tuntox-vpn@home makes the device" on sh -c 'systemctl start tuntox-vpn@home && ip address show dev vpn-home | grep 10.77.0.1/24'
check "a packet of the client end is answered through it" within $PATIENCE on python3 /srv/vpn/ping-vpn.py 5999 10.77.0.2 10.77.0.1
# shellcheck disable=SC2016 # The machine's shell fills it in.
check "socat runs as the user tuntox, without a capability" on sh -c 'pid=$(systemctl show -P MainPID tuntox-vpn@home) && [ "$(stat -c %U /proc/$pid)" = tuntox ] && grep -q "^CapEff:.*0000000000000000$" /proc/$pid/status'
# shellcheck disable=SC2016 # As above.
check "in its sandbox the daemon sees that the device is a VPN of its own" on sh -c 'nsenter --target "$(systemctl show -P MainPID tuntox)" --mount grep -x tuntox-vpn /sys/class/net/vpn-home/ifalias'
vpn_returns() {
  on systemctl kill --signal=KILL tuntox-vpn@home && on test -e /sys/class/net/vpn-home &&
    within $PATIENCE on python3 /srv/vpn/ping-vpn.py 5999 10.77.0.2 10.77.0.1
}
check "the device outlives a socat that is killed, and the next one uses it" vpn_returns
check "systemctl stop removes the device" on sh -c 'systemctl stop tuntox-vpn@home && ! test -e /sys/class/net/vpn-home'
vpn_refuses() {
  on sed -i 's/^PORT=.*/PORT=x/' /etc/tuntox-vpn/home.conf
  on systemctl start tuntox-vpn@home && return 1
  on journalctl --no-pager -u tuntox-vpn@home -n 20 | grep 'PORT must be a number'
}
check "a wrong setting is said in its log" vpn_refuses

# --- reloading

main_pid() { on systemctl show -P MainPID tuntox; }
reload_during_transfer() {
  local transfer received pid
  pid=$(main_pid)
  on curl --silent --fail --limit-rate 2M --max-time $((2 * PATIENCE)) --output /srv/received http://127.0.0.1:9000/payload &
  transfer=$!
  sleep 1
  on systemctl reload tuntox || return
  on sed -i.good 's|^network:|netwrok:|' /etc/tuntox/tuntox.yaml
  on systemctl reload tuntox && { echo "a bad file was taken"; return 1; }
  on mv /etc/tuntox/tuntox.yaml.good /etc/tuntox/tuntox.yaml
  on systemctl reload tuntox || return
  kill -0 "$transfer" 2>/dev/null || { echo "the transfer was over before"; return 1; }
  wait "$transfer" || { echo "the transfer failed"; return 1; }
  received=$(on sha256sum /srv/received | cut -d ' ' -f 1)
  [ "$received" = "$sum" ] && [ "$(main_pid)" = "$pid" ]
}
check "systemctl reload during a transfer breaks nothing, and fails for a bad file" reload_during_transfer

# Next to the default directory, in another one that the unit creates as well.
elsewhere() {
  local place=/run/systemd/system/tuntox.service.d status
  on mkdir -p $place && on sh -c "printf '[Service]\nRuntimeDirectory=other\n' >$place/other.conf" && on systemctl daemon-reload
  on cp -p /etc/tuntox/tuntox.yaml /root/settings && on sed -i 's|^socket:|socket:\n  path: /run/other/ctl.sock|' /etc/tuntox/tuntox.yaml
  reloads_elsewhere
  status=$?
  on rm -r $place && on systemctl daemon-reload && on cp -p /root/settings /etc/tuntox/tuntox.yaml && restart_unit && return $status
}
reloads_elsewhere() {
  restart_unit && on test -S /run/other/ctl.sock && answers && as_member || { echo "tuntoxctl does not find it"; return 1; }
  on systemctl reload tuntox || { echo "a reload fails"; return 1; }
  on sed -i 's|^network:|netwrok:|' /etc/tuntox/tuntox.yaml
  on systemctl reload tuntox && { echo "a bad file was taken"; return 1; }
  on journalctl --no-pager -u tuntox -n 20 | grep 'tuntoxctl.*the settings were not reloaded: .*netwrok'
}
check "with another socket.path, tuntoxctl and systemctl reload find it, and a bad file fails with its message" elsewhere

# --- the watchdog

restarted() { [ "$(on systemctl show -P NRestarts tuntox)" -gt "$1" ] && [ "$(on systemctl is-active tuntox)" = active ]; }
recovers() {
  local count since
  count=$(on systemctl show -P NRestarts tuntox)
  since=$(on date '+%F %T')
  "$@" || return
  within $WATCHDOG_PATIENCE restarted "$count" || return
  on systemctl kill --signal=CONT node
  [ "$(identity)" = "$first" ] || { echo "another identity"; return 1; }
  on journalctl --no-pager -u tuntox --since "$since" | grep -q 'Watchdog timeout' || { echo "not by the watchdog"; return 1; }
  # What a watchdog is there for.
  within $PATIENCE fetch ''
}
recover() {
  local start=$SECONDS
  check "$1 is restarted by the watchdog with the same identity, and serves again" recovers "${@:2}"
  note "after $((SECONDS - start)) s"
}
freeze() { on kill -STOP "$(main_pid)"; }
opens_nothing() { local pid; pid=$(main_pid); on kill -USR1 "$pid" && sleep 2 && ! is_debugged && [ "$(main_pid)" = "$pid" ]; }
is_debugged() { on sh -c 'ss -Hltn sport = :9229 | grep -q .'; }
# No signal opens the debugger, so it has to be there from the start, and through the restarts by the watchdog: debugger on | off
debugger() {
  local place=/run/systemd/system/tuntox.service.d
  if [ "$1" = on ]; then
    on mkdir -p $place && on sh -c "printf '[Service]\nEnvironment=NODE_OPTIONS=--inspect\n' >$place/debugger.conf"
  else
    on rm -r $place
  fi
  on systemctl daemon-reload && restart_unit
}
spin() { within 10 is_debugged && on node --experimental-websocket --input-type=module -e "$(<test/boot/spin.js)"; }
# Where relays or other nodes answer, it serves on without UDP, and is left alone.
deafen() { on systemctl kill --signal=STOP node && on python3 -c "$(<test/boot/deafen.py)" "$(main_pid)"; }
recover "a stopped daemon" freeze
check "SIGUSR1 opens no debugger, and the daemon goes on" opens_nothing
debugger on
recover "a spinning daemon" spin
debugger off
recover "a daemon whose UDP socket is dead" deafen

# --- upgrade, remove, purge

# As installations of before were: all of it the daemon's, settings conffiles; and what its user could have left there.
as_of_before() {
  on sh -c 'cd /etc/tuntox && cp -p /usr/lib/tuntox/etc/tuntox/nodes.json . && echo 127.0.0.1:8080 >rules && chown -h tuntox:tuntox . * && chmod 700 . && chmod 600 * &&
    install -m 600 /dev/null /root/precious && ln -s /root/precious link && chown -h tuntox:tuntox link'
}
check "an installation of before" as_of_before
upgrade() { local pid; pid=$(main_pid); install_package 2 && answers && [ "$(main_pid)" != "$pid" ] && [ "$(identity)" = "$first" ]; }
check "an upgrade restarts it with the same identity" upgrade
check "and keeps the settings that were changed" on grep -q 33500 /etc/tuntox/tuntox.yaml
no_question() { [ -z "$(on dpkg-query -W -f '${Conffiles}' tuntox)" ]; }
check "dpkg has nothing to ask about" no_question
moved() {
  is_private && is_own && [ "$(owners /etc/tuntox/rules /etc/tuntox/whitelist.json /root/precious)" = 'root:tuntox 640 tuntox:tuntox 600 root:root 600' ] &&
    ! on test -e /etc/tuntox/nodes.json && on rm /etc/tuntox/rules /etc/tuntox/link
}
check "what people write becomes root's, what the daemon writes stays its own, and no link is followed" moved
check "the client comes back by itself" within $PATIENCE fetch ''
remove() { on apt-get remove --yes tuntox && [ "$(on systemctl is-active tuntox)" != active ] && on test -s /etc/tuntox/tox_save && ! on test -e /usr/bin/tuntoxd; }
check "removing stops it and keeps the identity" remove
again() { install_package 2 && on systemctl start tuntox && [ "$(identity)" = "$first" ] && on tuntoxctl whitelist list | grep -q laptop; }
check "installed again it is the same, with its whitelist" again
check "purging takes all of it away" purge

# --- supervisord

install_package 2 >/dev/null 2>&1
on sed -i "s|^network:.*|network:\n  port_mapping: false\n  bootstrap: [\"$node\"]|" /etc/tuntox/tuntox.yaml
on rm -rf /run/tuntox
supervised() {
  on cp /usr/share/doc/tuntox/examples/supervisor/tuntox.conf /etc/supervisor/conf.d/ && on systemctl start supervisor &&
    within $PATIENCE answers && within $PATIENCE on sh -c 'supervisorctl status tuntox | grep -q RUNNING'
}
check "supervisord starts it, and makes /run/tuntox" supervised
supervised_pid() { on supervisorctl pid tuntox; }
# has_no_rights_but CAPABILITIES PID
has_no_rights_but() {
  local set
  [ "$(on ps -o user= -p "$2" | tr -d ' ')" = tuntox ] && on grep -q '^NoNewPrivs:.*1$' "/proc/$2/status" || return
  for set in Eff Prm Bnd; do on grep -q "^Cap$set:.*$1\$" "/proc/$2/status" || { echo "Cap$set"; return 1; }; done
}
readonly NOTHING=0000000000000000
supervised_has_no_rights() { has_no_rights_but $NOTHING "$(supervised_pid)"; }
check "it runs as tuntox, with no rights beyond" supervised_has_no_rights
first=$(identity)
logged() { on supervisorctl tail tuntox | grep 'is ready'; }
check "supervisorctl tail shows its log" within $PATIENCE logged
restart() { local pid; pid=$(supervised_pid); on supervisorctl restart tuntox && within $PATIENCE answers && [ "$(supervised_pid)" != "$pid" ] && [ "$(identity)" = "$first" ]; }
check "supervisorctl restart keeps the identity" restart
supervised_elsewhere() {
  on sed -i 's|^socket:|socket:\n  path: /run/tuntox/ctl.sock|' /etc/tuntox/tuntox.yaml
  on supervisorctl restart tuntox && within $PATIENCE answers && on test -S /run/tuntox/ctl.sock && on tuntoxctl config reload
}
check "with another socket.path, tuntoxctl finds it" supervised_elsewhere
reborn() { [ "$(supervised_pid)" != "$1" ] && answers; }
# The number of a daemon that does not run is 0, which would mean all of us.
killed() { local pid; pid=$(supervised_pid); [ "$pid" -gt 1 ] && on kill -KILL "$pid" && within $PATIENCE reborn "$pid"; }
check "killed, it is started again" killed
stopped() { on supervisorctl stop tuntox && on supervisorctl tail tuntox | grep -q 'stopped' && ! answers; }
check "supervisorctl stop ends it in order" stopped

# --- as another user, started by root, with a Node that refuses to change its own

on sed -i '\|^  path: /run/tuntox/ctl.sock|d' /etc/tuntox/tuntox.yaml
node_refuses() { on node -e 'try { process.setegid(0) } catch { process.exit(3) }'; [ $? -eq 3 ]; }
check "Debian's Node refuses to change its user" node_refuses
readonly USER_PID=/run/user.pid
user_pid() { on cat $USER_PID; }
parent_of() { on ps -o ppid= -p "$1" | tr -d ' '; }
is_gone() { ! on test -e "/proc/$1/exe"; }
# Its output goes into /srv/NAME.log, its status into /srv/NAME.status: in_foreground NAME COMMAND…
in_foreground() {
  on rm -f "/srv/$1.status"
  # Nothing of it holds the output of `check` open.
  on sh -c 'name=$1; shift; "$@" >"/srv/$name.log" 2>&1; echo $? >"/srv/$name.status"' - "$@" >/dev/null 2>&1 &
}
ended_with() { within $PATIENCE on test -s "/srv/$1.status" && on grep -x "$2" "/srv/$1.status"; }
start_as_user() { in_foreground daemon tuntoxd -U tuntox -F $USER_PID && within $PATIENCE answers; }
as_user() { start_as_user && has_no_rights_but $NOTHING "$(user_pid)" && [ "$(identity)" = "$first" ]; }
check "tuntoxd -U tuntox is tuntox all the same, without any right" as_user
waiting=$(parent_of "$(user_pid)")
note "the first process has $(on awk '/^Private/ { sum += $2 } END { print sum }' "/proc/$waiting/smaps_rollup") kB of its own"
was_reloaded() { on grep 'settings reloaded' /srv/daemon.log; }
reloads() { on kill -HUP "$waiting" && within $PATIENCE was_reloaded && answers; }
check "SIGHUP to the first process reloads" reloads
ends() { on kill -TERM "$waiting" && ended_with daemon 0 && on grep -q 'stopped$' /srv/daemon.log && ! answers; }
check "SIGTERM to the first process ends both in order, with 0" ends
dies_along() {
  local pid
  start_as_user && pid=$(user_pid) && [ "$(parent_of "$pid")" -gt 1 ] && on kill -KILL "$(parent_of "$pid")" && within $PATIENCE is_gone "$pid" && ended_with daemon 137 &&
    start_as_user && pid=$(user_pid) && [ "$pid" -gt 1 ] && on kill -KILL "$pid" && ended_with daemon 137
}
check "whichever of the two is killed, the other one ends, too" dies_along
logged_to_syslog() { on journalctl --no-pager -t tuntoxd | grep 'is ready'; }
in_background() {
  on tuntoxd -z -S -U tuntox -F $USER_PID && answers && has_no_rights_but $NOTHING "$(user_pid)" &&
    ! on pgrep -u root -f bin/tuntoxd && within $PATIENCE logged_to_syslog
}
check "tuntoxd -z -S -U leaves no process of root's, and logs to syslog" in_background
ends_in_background() { local pid; pid=$(user_pid); on kill "$pid" && within $PATIENCE is_gone "$pid" && ! answers; }
check "and ends when its number is signalled" ends_in_background

# One who runs code as tuntox could have written all of /etc/tuntox, before; and still what root names there.
attack() {
  on sh -c 'mv /etc/tuntox/tuntox.yaml /root/settings && printf "user: tuntox\nsocket: {path: /etc/systemd/system/ssh.service.d/s}\ntargets: {rules_file: /etc/shadow}\n" >/etc/tuntox/tuntox.yaml &&
    chown tuntox:tuntox /etc/tuntox/tuntox.yaml'
  on sh -c 'timeout 20 tuntoxd -U tuntox >/srv/attack.log 2>&1'
  [ $? -eq 2 ] && on grep 'root does not use' /srv/attack.log || { on cat /srv/attack.log; return 1; }
  on sh -c 'timeout 20 tuntoxd -U tuntox -c /etc/tuntox/tuntox.yaml >/srv/attack.log 2>&1'
  [ $? -eq 1 ] && on grep 'cannot create the directory /etc/systemd/system/ssh.service.d (permission denied)' /srv/attack.log || { on cat /srv/attack.log; return 1; }
  ! on test -e /etc/systemd/system/ssh.service.d
}
check "settings of the daemon's user make no directory as root" attack
reads_no_shadow() {
  on sed -i '/^socket/d' /etc/tuntox/tuntox.yaml
  on sh -c 'timeout 20 tuntoxd -U tuntox -c /etc/tuntox/tuntox.yaml --network-bootstrap none >/srv/attack.log 2>&1'
  on grep 'cannot read /etc/shadow: this user may not read it' /srv/attack.log && ! on grep -F "$(on sed -n 1p /etc/shadow)" /srv/attack.log
}
check "and read no file as root" reads_no_shadow
on mv /root/settings /etc/tuntox/tuntox.yaml

on sh -c 'printf "a long secret" >/srv/secret; echo 127.0.0.1:8080 >/srv/rules; chgrp tuntox /srv/secret /srv/rules; chmod 640 /srv/secret /srv/rules'
on install -d -o tuntox -g tuntox -m 700 /srv/server
readonly SERVER="-C /srv/server -U tuntox -F $USER_PID -I /srv/server/id --secret-file /srv/secret -f /srv/rules -t 443 -u 443:443 --bootstrap $node"
readonly LOW_PORTS=0000000000000400
serves() { on curl --silent --fail --max-time $PATIENCE --output /dev/null http://127.0.0.1:9100/; }
is_served() {
  on systemd-run --quiet --unit=forward tuntox -i "$(on cat /srv/server/id)" --bootstrap "$node" --secret-file /srv/secret -L 9100:127.0.0.1:8080
  within $PATIENCE serves
}
on rm -f /srv/server/id
classic() {
  in_foreground server tuntox $SERVER && within $PATIENCE on test -s /srv/server/id && has_no_rights_but $LOW_PORTS "$(user_pid)" &&
    [ "$(on stat -c %U /srv/server/tox_save)" = tuntox ] && on ss -Hltn 'sport = :443' | grep . && is_served
}
check "tuntox -U serves a client, on port 443 and with a secret and rules that its group may read" classic
classic_ends() { on kill -INT "$(parent_of "$(user_pid)")" && ended_with server 0; }
check "it ends upon SIGINT, with 0" classic_ends
classic_in_background() {
  [ "$(on tuntox -z $SERVER)" = "$(on cat /srv/server/id)" ] && has_no_rights_but $LOW_PORTS "$(user_pid)" && within $PATIENCE serves && ends_in_background
}
check "with -z it tells its Tox ID, which is the same, and serves the client again" classic_in_background

# --- without user namespaces: another machine, in one of its own, for which they can be forbidden

halt
supervisor='' layer=''
boot --private-users=identity || give_up "Debian $SUITE boots in a user namespace"
package 1 && install_package 1 >/dev/null 2>&1
on sed -i "s|^network:.*|network:\n  port_mapping: false\n  bootstrap: none|" /etc/tuntox/tuntox.yaml
# What the machine sees in /proc/sys is for reading only; and the limit applies to the process that writes it, which must not be ours.
forbid() {
  on mkdir /srv/proc && on systemd-run --quiet --wait sh -c '[ "$(readlink /proc/self/ns/user)" != "$1" ] && mount -t proc proc /srv/proc && echo 0 >/srv/proc/sys/user/max_user_namespaces' \
    - "$(readlink /proc/self/ns/user)"
}
check "user namespaces are forbidden" forbid
fails_by_them() { ! on systemctl start tuntox && on journalctl --no-pager -u tuntox | grep 'Failed to set up user namespacing'; }
check "there the unit fails, as tuntoxd(8) says" fails_by_them
drop_in() { on install -D -m 644 "/usr/share/doc/tuntox/examples/systemd/$1" -t /etc/systemd/system/tuntox.service.d && on systemctl daemon-reload && restart_unit && answers; }
check "with its drop-in it serves" drop_in no-user-namespaces.conf
first=$(identity)
state_elsewhere() {
  on systemctl stop tuntox && on install -d -m 700 -o tuntox -g tuntox /var/lib/tuntox && on sh -c 'cd /etc/tuntox && mv tox_save $(ls whitelist.json secret.json bans.json proven.json forwards.json 2>/dev/null) /var/lib/tuntox/' 2>/dev/null
  drop_in state-directory.conf && [ "$(identity)" = "$first" ] && on test -e /var/lib/tuntox/tox_save && ! on test -e /etc/tuntox/tox_save
}
check "with the other one it keeps its identity in /var/lib/tuntox" state_elsewhere

stop

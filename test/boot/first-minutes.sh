#!/usr/bin/env bash
# `make first-minutes`: two machines of a bare Debian 13 and the package, as a new user has them, on two networks with a router between
# them; it runs the commands of README.md and writes what they took to docs/first-minutes.md. Needs root, debootstrap, systemd-container.
#
# What the README does not have: the nodes of this private network stand in the place of nodes.json, because it reaches no public one.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source-path=SCRIPTDIR source=checks.sh
. test/boot/checks.sh
readonly PACKAGES=systemd,systemd-sysv,dbus,adduser,procps,iproute2,openssh-server,openssh-client
readonly TUNTOX_BOOT_CACHE=${TUNTOX_BOOT_CACHE:-/var/cache/tuntox-boot/first-minutes}
# shellcheck source-path=SCRIPTDIR source=machine.sh
. test/boot/machine.sh

readonly PAGE=${1:-docs/first-minutes.md}
readonly ROUTER=tuntox-router-$$ NODE_NET=tuntox-nodes-$$
readonly NODES=5
work=$(mktemp -d)

# As check, but in this shell, because the command sets variables.
try() {
  local status
  "${@:2}" >"$work/output" 2>&1
  status=$?
  check "$1" finish "$status"
}
finish() { cat "$work/output"; return "$1"; }

# --- the machines: each has its layer, its nspawn and its first process

declare -A layers supervisors leaders
# at MACHINE COMMAND…: runs a command there, as root.
at() { leader=${leaders[$1]} on "${@:2}"; }
# start MACHINE ADDRESS GATEWAY
start() {
  boot || return
  layers[$1]=$layer supervisors[$1]=$supervisor leaders[$1]=$leader
  nsenter --target "$leader" --uts hostname "$1" || return
  ip link add "ft-$1" netns "$ROUTER" type veth peer name "host-$1" netns "$leader" || return
  ip -n "$ROUTER" address add "$3/24" dev "ft-$1" && ip -n "$ROUTER" link set "ft-$1" up || return
  at "$1" sh -c "ip address add $2/24 dev host-$1 && ip link set host-$1 up && ip route add default via $3"
}
end() {
  local machine
  jobs -p | grep -vxF "$(printf '%s\n' "${supervisors[@]}")" | xargs -r kill 2>/dev/null
  for machine in "${!layers[@]}"; do
    layer=${layers[$machine]} supervisor=${supervisors[$machine]} halt
  done
  ip netns delete "$ROUTER" 2>/dev/null
  ip netns delete "$NODE_NET" 2>/dev/null
  rm -rf "$work"
}
trap end EXIT
trap 'exit 130' INT TERM

# Node and what it needs wait in apt's archive, as they would come from a mirror.
fill_archive() {
  [ -e "$CACHE/archive-of" ] && [ "$(<"$CACHE/archive-of")" = "$MADE_OF" ] && return
  local mirror proxy
  # shellcheck disable=SC2016 # apt fills these in.
  mirror=$(apt-get indextargets --format '$(ORIGIN) $(REPO_URI)' 'Created-By: Packages' | sed -n 's/^Debian //p' | grep -v security | head -n 1)
  proxy=$(apt-config dump --format '%v%n' Acquire::http::Proxy)
  echo "deb [trusted=yes] $mirror $SUITE main" >"$BASE/etc/apt/sources.list"
  cp /etc/resolv.conf "$BASE/etc/resolv.conf"
  echo 'Binary::apt::APT::Keep-Downloaded-Packages "true";' >"$BASE/etc/apt/apt.conf.d/keep"
  local apt=(chroot "$BASE" apt-get -o "Acquire::http::Proxy=${proxy:-DIRECT}")
  { "${apt[@]}" update && "${apt[@]}" install --yes --download-only nodejs; } >"$CACHE/archive.log" 2>&1 ||
    { tail -n 5 "$CACHE/archive.log" >&2; return 1; }
  echo "$MADE_OF" >"$CACHE/archive-of"
}

# --- time

ms() { echo $(($(date +%s%N) / 1000000)); }
rows=() total=0
# step MACHINE TEXT COMMAND…: runs a command there; its seconds are a row of the table.
step() {
  local before after output seconds
  before=$(ms)
  output=$(at "$1" "${@:3}" 2>&1) || { printf '%s\n' "$output"; return 1; }
  after=$(ms)
  row "$1" "$2" $((after - before))
  printf '%s\n' "$output" >"$work/last"
}
row() {
  local seconds
  seconds=$(awk -v ms="$3" 'BEGIN { printf "%.1f", ms / 1000 }')
  rows+=("| $1 | \`$2\` | $seconds |")
  total=$((total + $3))
}
# Writes the rows so far as a table, and begins the next.
table() {
  { printf '\n## %s\n\n%s\n\n| on | command | s |\n|---|---|---|\n' "$1" "$2"
    printf '%s\n' "${rows[@]}"
    awk -v ms="$total" 'BEGIN { printf "| | together | %.1f |\n", ms / 1000 }'; } >>"$work/page"
  rows=() total=0
}

missing=$(requirements | paste -sd ' ')
[ -z "$missing" ] || give_up "the first minutes need $missing (apt-get install debootstrap systemd-container)"
try "Debian $SUITE is made" make_base
try "Node waits in apt's archive" fill_archive
[ "$failed" -eq 0 ] || stop

# --- the networks, and a small Tox network beyond the router

ip netns add "$ROUTER" && ip -n "$ROUTER" link set lo up || give_up "there is a router"
ip netns exec "$ROUTER" sysctl -qw net.ipv4.ip_forward=1
try "the machine at home has booted" start home 10.77.1.2 10.77.1.1
try "the laptop has booted" start laptop 10.77.2.2 10.77.2.1
[ "$failed" -eq 0 ] || stop
ip netns add "$NODE_NET" && ip link add uplink netns "$NODE_NET" type veth peer name nodes netns "$ROUTER" &&
  ip -n "$ROUTER" address add 10.77.3.1/24 dev nodes && ip -n "$ROUTER" link set nodes up &&
  ip -n "$NODE_NET" address add 10.77.3.2/24 dev uplink && ip -n "$NODE_NET" link set uplink up && ip -n "$NODE_NET" link set lo up &&
  ip -n "$NODE_NET" route add default via 10.77.3.1 || give_up "the nodes have a network"
entries=() first=()
for ((number = 0; number < NODES; number++)); do
  mkdir "$work/node$number"
  ip netns exec "$NODE_NET" node dist/bin/tuntox.cjs --node -C "$work/node$number" -u 33445:33545 --bootstrap "${first[0]:-none}" \
    >"$work/node$number/out" 2>"$work/node$number/log" &
  within $PATIENCE grep -Eq '^[0-9]+:[0-9A-Fa-f]{64}$' "$work/node$number/out" || give_up "node $number runs"
  entry=$(<"$work/node$number/out")
  [ "$number" -gt 0 ] || first=("10.77.3.2:$entry")
  entries+=("{\"ipv4\":\"10.77.3.2\",\"ipv6\":\"-\",\"port\":${entry%%:*},\"tcp_ports\":[],\"public_key\":\"${entry#*:}\"}")
done
printf '{"nodes":[%s]}\n' "$(IFS=,; echo "${entries[*]}")" >"$work/nodes.json"

# --- the package on both

for machine in home laptop; do
  layer=${layers[$machine]}
  [ -e "$work/tuntox.deb" ] || { try "the package is built" package 1 && cp "$layer/root/root/tuntox_$version-1.deb" "$work/tuntox.deb"; }
  cp "$work/tuntox.deb" "$layer/root/root/tuntox.deb"
  try "$machine: apt-get installs the package and Node" step "$machine" 'apt-get install ./tuntox_*_amd64.deb' apt-get install --yes /root/tuntox.deb
  cp "$work/nodes.json" "$layer/root/usr/lib/tuntox/etc/tuntox/nodes.json"
  at "$machine" useradd --create-home --shell /bin/bash anna
done
[ "$failed" -eq 0 ] || stop
table 'Installation' "Node and its libraries come from apt's archive, already downloaded, and are unpacked here. Nothing has to be built."

# The keys of ssh, which a new user has already.
as_anna() { at "$1" runuser -u anna -- env HOME=/home/anna XDG_RUNTIME_DIR= "${@:2}"; }
at home systemctl start ssh
as_anna laptop sh -c 'cd && mkdir -m 700 .ssh && ssh-keygen -q -t ed25519 -N "" -f .ssh/id_ed25519'
as_anna home sh -c "cd && mkdir -m 700 .ssh && echo '$(at laptop cat /home/anna/.ssh/id_ed25519.pub)' >.ssh/authorized_keys"
as_anna laptop sh -c 'printf "Host *\n StrictHostKeyChecking accept-new\n" >~/.ssh/config'
# until MACHINE TEXT FILE PATTERN: waits for a line in the output of the command that was started before, and makes a row of it.
anna_until() {
  local before=$1 machine=$2 text=$3
  within $PATIENCE at "$machine" grep -Eq "$5" "$4" && row "$machine" "$text" $(($(ms) - before))
}
step_as_anna() {
  local before
  before=$(ms)
  as_anna "$1" "${@:3}" >"$work/last" 2>&1 || { cat "$work/last"; return 1; }
  row "$1" "$2" $(($(ms) - before))
}

# --- a share: two commands

before=$(ms)
as_anna home sh -c 'cd && exec tuntox share 22 >share 2>log' 2>/dev/null &
share=$!
try "tuntox share prints what to run on the other machine" anna_until "$before" home 'tuntox share 22' /home/anna/share 'tuntox join '
link=$(at home sed -n 's/^ *tuntox join //p' /home/anna/share)
try "tuntox join opens the port" step_as_anna laptop 'tuntox join -z LINK' tuntox join -z -F /home/anna/pid "$link"
try "ssh works through the share" step_as_anna laptop 'ssh -p 10022 127.0.0.1' ssh -p 10022 127.0.0.1 uname -n
reached_home() { [ "$(tail -n 1 "$work/last")" = home ] || { cat "$work/last"; return 1; }; }
try "and has reached the machine at home" reached_home
table 'A share' 'Two commands, one on each machine. The time of ssh includes the search for the machine.'
at laptop sh -c 'kill $(cat /home/anna/pid)'
at home pkill -INT -f 'tuntox share'; wait "$share"

# --- a lasting server: four commands

try "systemctl enable starts the daemon" step home 'systemctl enable --now tuntox' systemctl enable --now tuntox
try "tuntoxctl invite prints a link" step home 'tuntoxctl invite create --name laptop --allow 127.0.0.1:22' tuntoxctl invite create --name laptop --allow 127.0.0.1:22
link=$(grep -Eo 'tuntox://\S+' "$work/last" | head -n 1)
try "tuntox join stores the machine under a name" step_as_anna laptop 'tuntox join LINK nas' tuntox join "$link" nas
try "tuntox ssh reaches it" step_as_anna laptop 'tuntox ssh nas' tuntox ssh nas uname -n
try "and that was the machine at home" reached_home
try "the next one is fast" step_as_anna laptop 'tuntox ssh nas' tuntox ssh nas uname -n
table 'A lasting server' 'Four commands. The fifth row is ssh again, through the same connection.'

[ "$failed" -eq 0 ] || stop
cat >"$PAGE" - "$work/page" <<PAGE
# The first minutes

How long a new user takes from the package to a shell on the other machine: the commands of [README.md](../README.md), run by
\`make first-minutes\` on two new Debian 13 machines (systemd-nspawn) in two networks, with a router between them
that adds no delay. Typing and copying the link are not counted. One thing differs from what a user has: the $NODES bootstrap nodes are
those of a private network.
PAGE
note "written: $PAGE"
stop

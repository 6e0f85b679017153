# shellcheck shell=bash
# The machines of these tests: Debian 13, made once by debootstrap in a cache outside of the repository, and run by systemd-nspawn
# over a layer that is thrown away. A machine has no network but its own loopback. Debian's mirror is the one of this machine's apt.
# Sourced, by a script that has set
#   PACKAGES        of Debian, besides those that every machine has
#   ARCHITECTURE    of the machine, if another than this one's; see emulator.sh

readonly SUITE=trixie
native=$(dpkg --print-architecture 2>/dev/null)
readonly ARCHITECTURE=${ARCHITECTURE:-$native}
cache=${TUNTOX_BOOT_CACHE:-/var/cache/tuntox-boot}
[ "$ARCHITECTURE" = "$native" ] || cache=$cache/$ARCHITECTURE
readonly CACHE=$cache
readonly BASE=$CACHE/base
readonly MADE_OF="$SUITE $PACKAGES"
# Seconds that booting may take.
readonly BOOT_PATIENCE=120

layer='' supervisor='' leader=''

# What the host needs, and does not have.
requirements() {
  [ "$(id -u)" = 0 ] || { echo "root"; return; }
  local command
  for command in debootstrap:debootstrap systemd-nspawn:systemd-container nsenter:util-linux dpkg-deb:dpkg node:nodejs "$@"; do
    command -v "${command%%:*}" >/dev/null || echo "${command#*:}"
  done
}

make_base() {
  [ -e "$CACHE/made-of" ] && [ "$(<"$CACHE/made-of")" = "$MADE_OF" ] && return
  echo "# making Debian $SUITE for $ARCHITECTURE in $CACHE, once; this takes minutes" >&2
  local mirror proxy
  # shellcheck disable=SC2016 # apt fills these in.
  mirror=$(apt-get indextargets --format '$(ORIGIN) $(REPO_URI)' 'Created-By: Packages' | sed -n 's/^Debian //p' | grep -v security | head -n 1)
  [ -n "$mirror" ] || { echo "apt of this machine knows no mirror of Debian" >&2; return 1; }
  proxy=$(apt-config dump --format '%v%n' Acquire::http::Proxy)
  rm -rf "$BASE" "$CACHE/made-of" && mkdir -p "$BASE"
  # Nothing of it runs while it is made: debootstrap has no services started.
  ${proxy:+env "http_proxy=$proxy"} debootstrap --arch="$ARCHITECTURE" --variant=minbase --include="$PACKAGES" "$SUITE" "$BASE" "$mirror" \
    >"$CACHE/debootstrap.log" 2>&1 || { tail -n 5 "$CACHE/debootstrap.log" >&2; return 1; }
  rm -f "$BASE"/etc/apt/sources.list "$BASE"/var/cache/apt/archives/*.deb
  # It is started in the test that is about it.
  [ ! -e "$BASE/usr/bin/supervisord" ] || chroot "$BASE" systemctl --quiet disable supervisor
  echo "$MADE_OF" >"$CACHE/made-of"
}

# Runs a command in the machine, as root.
on() {
  nsenter --target "$leader" --mount --uts --ipc --net --pid --cgroup -- env -i --chdir=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@" </dev/null
}

# Starts a machine with a layer of its own, and waits until a command succeeds in it: start_machine COMMAND -- FLAGS AND PROGRAM OF NSPAWN…
start_machine() {
  layer=$(mktemp -d "$CACHE/run-XXXXXX")
  mkdir "$layer"/{upper,work,root}
  mount -t overlay tuntox-boot -o "lowerdir=$BASE,upperdir=$layer/upper,workdir=$layer/work" "$layer/root"
  SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 systemd-nspawn --register=no --keep-unit --private-network --console=read-only \
    --machine="tuntox-$$" --directory="$layer/root" "${@:3}" >"$layer/console" 2>&1 </dev/null &
  supervisor=$!
  local second
  for ((second = 0; second < BOOT_PATIENCE; second++)); do
    sleep 1
    leader=$(pgrep --parent "$supervisor" | head -n 1)
    [ -n "$leader" ] && "$1" && return
    kill -0 "$supervisor" 2>/dev/null || break
  done
  tail -n 20 "$layer/console" >&2
  return 1
}

has_booted() { case $(on systemctl is-system-running 2>/dev/null) in running | degraded) ;; *) return 1 ;; esac }
# Flags of nspawn may follow: boot FLAGS…
boot() { start_machine has_booted -- --boot "$@"; }

# A Debian in which nothing runs but what the test starts.
has_started() { on true 2>/dev/null; }
start_idle() { start_machine has_started -- --as-pid2 sleep infinity; }

# Ends the machine, with all that runs in it, and takes its layer away; nothing is left but the cache.
halt() {
  if [ -n "$supervisor" ] && kill -0 "$supervisor" 2>/dev/null; then
    # The second one does not wait.
    kill -TERM "$supervisor"; sleep 3; kill -TERM "$supervisor" 2>/dev/null
    wait "$supervisor" 2>/dev/null
  fi
  [ -n "$layer" ] || return 0
  umount "$layer/root" 2>/dev/null || umount --lazy "$layer/root" 2>/dev/null
  rm -rf "$layer"
}

# --- our package

version=$(node -p 'require("./package.json").version' 2>/dev/null)
# Both take the revision of the package's version: 1, and 2 for an upgrade.
package() {
  SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(date +%s)} packaging/deb.sh "$ARCHITECTURE" "$version-$1" "$layer/root/root/tuntox_$version-$1.deb"
}
install_package() { on apt-get install --yes "/root/tuntox_$version-$1.deb"; }
owners() { on stat -c '%U:%G %a' "$@" | paste -sd ' '; }
is_private() { [ "$(owners /etc/tuntox /etc/tuntox/tuntox.yaml)" = 'root:tuntox 1770 root:tuntox 640' ]; }
purge() {
  on apt-get purge --yes tuntox && ! on test -e /etc/tuntox && ! on test -e /etc/tuntox-vpn && ! on test -e /usr/lib/tuntox &&
    [ -z "$(on find / -xdev -name '*tuntox*' -not -path '/root/*' -not -path '/srv/*' -not -path '/var/log/*' -not -path '/var/lib/systemd/*' -not -path '/proc/*' -not -path '/sys/*' | tee /dev/stderr)" ]
}

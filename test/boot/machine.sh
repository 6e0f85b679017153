# shellcheck shell=bash
# The machine of the boot tests: Debian 13, made once by debootstrap in a cache outside of the repository, and booted by
# systemd-nspawn over a layer that is thrown away. It has no network but its own loopback.
# Sourced by boot.sh. Debian's mirror is the one of this machine's apt.

readonly SUITE=trixie
readonly PACKAGES=systemd,systemd-sysv,dbus,adduser,nodejs,procps,iproute2,python3,supervisor,curl
readonly CACHE=${TUNTOX_BOOT_CACHE:-/var/cache/tuntox-boot}
readonly BASE=$CACHE/base
# Seconds that booting may take.
readonly BOOT_PATIENCE=120

layer='' supervisor='' leader=''

# What the host needs, and does not have.
requirements() {
  [ "$(id -u)" = 0 ] || { echo "root"; return; }
  local command
  for command in debootstrap:debootstrap systemd-nspawn:systemd-container nsenter:util-linux dpkg-deb:dpkg node:nodejs; do
    command -v "${command%%:*}" >/dev/null || echo "${command#*:}"
  done
}

make_base() {
  [ -e "$CACHE/made-of" ] && [ "$(<"$CACHE/made-of")" = "$SUITE $PACKAGES" ] && return
  echo "# making Debian $SUITE in $CACHE, once; this takes minutes" >&2
  local mirror proxy
  # shellcheck disable=SC2016 # apt fills these in.
  mirror=$(apt-get indextargets --format '$(ORIGIN) $(REPO_URI)' 'Created-By: Packages' | sed -n 's/^Debian //p' | grep -v security | head -n 1)
  [ -n "$mirror" ] || { echo "apt of this machine knows no mirror of Debian" >&2; return 1; }
  proxy=$(apt-config dump --format '%v%n' Acquire::http::Proxy)
  rm -rf "$BASE" "$CACHE/made-of" && mkdir -p "$BASE"
  # Nothing of it runs while it is made: debootstrap has no services started.
  ${proxy:+env "http_proxy=$proxy"} debootstrap --variant=minbase --include="$PACKAGES" "$SUITE" "$BASE" "$mirror" >"$CACHE/debootstrap.log" 2>&1 ||
    { tail -n 5 "$CACHE/debootstrap.log" >&2; return 1; }
  rm -f "$BASE"/etc/apt/sources.list "$BASE"/var/cache/apt/archives/*.deb
  # It is started in the test that is about it.
  chroot "$BASE" systemctl --quiet disable supervisor
  echo "$SUITE $PACKAGES" >"$CACHE/made-of"
}

# Runs a command in the machine, as root.
on() {
  nsenter --target "$leader" --mount --uts --ipc --net --pid --cgroup -- env -i --chdir=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@" </dev/null
}

boot() {
  layer=$(mktemp -d "$CACHE/run-XXXXXX")
  mkdir "$layer"/{upper,work,root}
  mount -t overlay tuntox-boot -o "lowerdir=$BASE,upperdir=$layer/upper,workdir=$layer/work" "$layer/root"
  SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 systemd-nspawn --boot --register=no --keep-unit --private-network --console=read-only \
    --machine=tuntox-boot --directory="$layer/root" >"$layer/console" 2>&1 </dev/null &
  supervisor=$!
  local second
  for ((second = 0; second < BOOT_PATIENCE; second++)); do
    sleep 1
    leader=$(pgrep --parent "$supervisor" | head -n 1)
    [ -n "$leader" ] && case $(on systemctl is-system-running 2>/dev/null) in running | degraded) return ;; esac
    kill -0 "$supervisor" 2>/dev/null || break
  done
  tail -n 20 "$layer/console" >&2
  return 1
}

# Ends the machine and takes its layer away; nothing is left but the cache.
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

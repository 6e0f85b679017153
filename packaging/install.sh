#!/usr/bin/env bash
# `make install`: copies the program and, without DESTDIR, creates its user and settings. It starts nothing.
#   DESTDIR, PREFIX   see lay-out.sh
set -euo pipefail
cd "$(dirname "$0")/.."
: "${DESTDIR=}" "${PREFIX:?}"
case $PREFIX in
  /*) ;;
  *) echo "PREFIX must be an absolute path, as in make install PREFIX=/usr/local" >&2; exit 2 ;;
esac
NODE_ARCH=${NODE_ARCH:-$(node -p process.arch)} packaging/lay-out.sh

# /etc is independent of PREFIX; existing settings are never replaced.
readonly settings=$DESTDIR/etc/tuntox/tuntox.yaml
if [ -e "$settings" ]; then
  cmp -s etc/tuntox/tuntox.yaml "$settings" || echo "$settings stays as it is"
elif [ -n "$DESTDIR" ]; then
  install -D -m 640 etc/tuntox/tuntox.yaml "$settings"
fi
[ -z "$DESTDIR" ] || exit 0

# The user that the daemon runs as. A machine without systemd has no systemd-sysusers.
if ! getent passwd tuntox >/dev/null; then
  systemd-sysusers "$PREFIX/lib/sysusers.d/tuntox.conf" 2>/dev/null ||
    useradd --system --user-group --home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin --comment 'tuntox daemon' tuntox
fi
packaging/settings.sh etc/tuntox
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  echo "Start it with: systemctl enable --now tuntox"
  if systemctl --quiet is-active tuntox; then echo "The old version is still running: systemctl restart tuntox"; fi
else
  echo "Start it with: $PREFIX/bin/tuntoxd -U tuntox, or see $PREFIX/share/doc/tuntox/examples/supervisor/tuntox.conf"
fi

#!/usr/bin/env bash
# `make uninstall`: takes away what `make install` with the same DESTDIR and PREFIX has laid out, and nothing else.
set -euo pipefail
: "${DESTDIR=}" "${PREFIX:?}"
readonly root=$DESTDIR$PREFIX

if [ -z "$DESTDIR" ] && [ -d /run/systemd/system ] && [ -e "$root/lib/systemd/system/tuntox.service" ]; then
  systemctl --quiet disable --now tuntox.service || true
fi
for command in tokssh tuntox tuntoxctl tuntoxd; do
  # A command of that name that is not ours is let be.
  [[ $(readlink "$root/bin/$command" 2>/dev/null) != ../lib/tuntox/* ]] || rm -f "$root/bin/$command"
done
rm -rf "$root/lib/tuntox" "$root/share/doc/tuntox"
rm -f "$root"/lib/{systemd/{{system,user}/tuntox.service,system/tuntox-vpn@.service},sysusers.d/tuntox.conf,tmpfiles.d/tuntox.conf,sysctl.d/10-tuntox.conf}
rm -f "$root"/share/man/man{1/tokssh.1,1/tuntox.1,1/tuntoxctl.1,5/tuntox.yaml.5,8/tuntoxd.8}
rm -f "$root"/share/bash-completion/completions/tuntox{,ctl,d} "$root"/share/zsh/site-functions/_tuntox{,ctl,d} \
  "$root"/share/fish/vendor_completions.d/tuntox{,ctl,d}.fish
if [ -z "$DESTDIR" ] && [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
if [ -d "$DESTDIR/etc/tuntox" ]; then
  echo "$DESTDIR/etc/tuntox stays, with the identity and the settings. To delete them: rm -r $DESTDIR/etc/tuntox"
fi

#!/bin/sh
# settings.sh FOLDER: creates /etc/tuntox for the daemon, as root, when the user tuntox exists. FOLDER has the default tuntox.yaml and
# nodes.json. The settings belong to root and are readable by the group. The daemon's files belong to the daemon; because the directory is
# sticky, it cannot change or replace those of root. An older installation, in which the daemon owned all files, is converted once.
set -eu
readonly directory=/etc/tuntox
readonly templates=$1

# On Debian, dpkg-statoverride of the administrator counts.
is_overridden() { command -v dpkg-statoverride >/dev/null && dpkg-statoverride --list "$1" >/dev/null; }
is_state() { case ${1##*/} in tox_save* | node_key* | *.json | *.json.tmp) ;; *) return 1 ;; esac }
# A settings file: not a symbolic or hard link, and not a file that root keeps there for itself.
is_for_daemon() {
  [ ! -L "$1" ] && [ -f "$1" ] || return 1
  case $(stat -c '%U %h' "$1")${1##*/} in 'tuntox 1nodes.json' | 'tuntox 1tuntox.yaml' | 'root 1tuntox.yaml') ;; 'tuntox 1'*) ! is_state "$1" ;; *) return 1 ;; esac
}

mkdir -p -m 0700 "$directory"
# Of tuntox-vpn@.service, which root alone writes.
mkdir -p -m 0755 /etc/tuntox-vpn
case $(stat -L -c %U:%G "$directory") in
  tuntox:* | root:root) is_overridden "$directory" || is_to_be_moved=yes ;;
esac
if [ "${is_to_be_moved-}" ]; then
  # No other user may change anything meanwhile.
  chown root:root "$directory"
  chmod 0700 "$directory"
  # The program has this list, and a newer one with each release.
  cmp -s "$directory/nodes.json" "$templates/nodes.json" && rm -f "$directory/nodes.json"
  for file in "$directory"/*; do
    if is_for_daemon "$file" && ! is_overridden "$file"; then
      # A copy, because a process that still has the old file open could change it.
      copy=$(mktemp "$directory/.settings.XXXXXX")
      cat "$file" >"$copy" || { rm -f "$copy"; exit 1; }
      chown root:tuntox "$copy"
      chmod 0640 "$copy"
      mv -f "$copy" "$file"
    fi
  done
fi
# An existing file is never replaced.
if [ ! -e "$directory/tuntox.yaml" ] && [ ! -L "$directory/tuntox.yaml" ]; then
  # -T: a user who can create files there could have put a link to a directory here.
  install -T -m 0640 -o root -g tuntox "$templates/tuntox.yaml" "$directory/tuntox.yaml"
fi
if [ "${is_to_be_moved-}" ]; then
  chown root:tuntox "$directory"
  chmod 1770 "$directory"
fi

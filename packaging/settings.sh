#!/bin/sh
# Makes /etc/tuntox as the daemon needs it, as root, once there is the user tuntox: settings are root's, and readable by the group; what
# the daemon writes is its own, and by the sticky bit of the directory it can neither change nor replace what is root's. An installation in
# which all of it belonged to the user is moved to that, once: settings.sh FOLDER, where tuntox.yaml and nodes.json of this program lie.
set -eu
readonly directory=/etc/tuntox
readonly templates=$1

# Debian: what the machine's owner has said of it counts.
is_overridden() { command -v dpkg-statoverride >/dev/null && dpkg-statoverride --list "$1" >/dev/null; }
is_state() { case ${1##*/} in tox_save* | node_key* | *.json | *.json.tmp) ;; *) return 1 ;; esac }
# What people write for the daemon: neither a link nor a second name of somebody else's file, nor what root keeps there for itself.
is_for_daemon() {
  [ ! -L "$1" ] && [ -f "$1" ] || return 1
  case $(stat -c '%U %h' "$1")${1##*/} in 'tuntox 1nodes.json' | 'tuntox 1tuntox.yaml' | 'root 1tuntox.yaml') ;; 'tuntox 1'*) ! is_state "$1" ;; *) return 1 ;; esac
}

mkdir -p -m 0700 "$directory"
case $(stat -L -c %U:%G "$directory") in
  tuntox:* | root:root) is_overridden "$directory" || is_to_be_moved=yes ;;
esac
if [ "${is_to_be_moved-}" ]; then
  # Nobody else may change anything meanwhile.
  chown root:root "$directory"
  chmod 0700 "$directory"
  # The program has that list, and a newer one with the next release.
  cmp -s "$directory/nodes.json" "$templates/nodes.json" && rm -f "$directory/nodes.json"
  for file in "$directory"/*; do
    if is_for_daemon "$file" && ! is_overridden "$file"; then
      # A new file: whoever still has the old one open for writing changes nothing of root's.
      copy=$(mktemp "$directory/.settings.XXXXXX")
      cat "$file" >"$copy" || { rm -f "$copy"; exit 1; }
      chown root:tuntox "$copy"
      chmod 0640 "$copy"
      mv -f "$copy" "$file"
    fi
  done
fi
# What stands there is never replaced, and so nobody has to be asked.
if [ ! -e "$directory/tuntox.yaml" ] && [ ! -L "$directory/tuntox.yaml" ]; then
  # -T: whoever may make files there could put a link to a directory here meanwhile.
  install -T -m 0640 -o root -g tuntox "$templates/tuntox.yaml" "$directory/tuntox.yaml"
fi
if [ "${is_to_be_moved-}" ]; then
  chown root:tuntox "$directory"
  chmod 1770 "$directory"
fi

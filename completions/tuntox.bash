# Completion of tuntox for bash, made by `make manual`
_tuntox_hosts() {
  {
    sed -n 's/^ *"name": "\([^"]*\)",*$/\1/p' "${XDG_CONFIG_HOME:-$HOME/.config}/tuntox/hosts.json"
    sed -n 's/^[[:blank:]]*\([^#[:blank:]][^[:blank:]]*\)[[:blank:]].*/\1/p' "$HOME/.tuntox/hosts"
  } 2>/dev/null | grep -x '[A-Za-z0-9][A-Za-z0-9._-]*'
}
_tuntox() {
  local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD - 1]}"
  COMPREPLY=()
  case $previous in
    --for | --uses | --allow-reverse | --forward | -L | --dynamic | -D | --reverse | -R | --pipe | -W | -P | --ssh-pipe | --timeout | --max-retries | --idle-timeout | --identity | -i | --secret | -s | --udp-ports | -u | --relay-port | -t) : ;;
    --rules-file | -f | --pid-file | -F | --socks-auth | --secret-file | --id-file | -I | --nodes-file | -b) compopt -o filenames 2>/dev/null; COMPREPLY=(); mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
    --user | -U) COMPREPLY=(); mapfile -t COMPREPLY < <(compgen -u -- "$current") ;;
    --state-dir | -C) compopt -o filenames 2>/dev/null; COMPREPLY=(); mapfile -t COMPREPLY < <(compgen -d -- "$current") ;;
    --bootstrap | --proxy) COMPREPLY=(); mapfile -t COMPREPLY < <(compgen -W 'none' -- "$current") ;;
    *)
      local words='--for --uses --qr --rules-file -f --insecure-open --allow-reverse --background -z --pid-file -F --user -U --node --forward -L --dynamic -D --socks-auth --reverse -R --pipe -W -P --ssh-pipe --ping -p --timeout --max-retries --idle-timeout --identity -i --state-dir -C --secret-file --secret -s --id-file -I --nodes-file -b --bootstrap --udp-ports -u --relay-port -t --no-port-mapping --proxy --json --syslog -S --verbose -d --quiet -q --no-color --version -V --help -h'
      case $COMP_CWORD:${COMP_WORDS[1]} in
        1:*) words+=' help share join ssh ssh-config list ping speed forget id agent '$(_tuntox_hosts) ;;
        *:ssh) words+=' '$(_tuntox_hosts) ;;
        *:ping) words+=' '$(_tuntox_hosts) ;;
        *:speed) words+=' '$(_tuntox_hosts) ;;
        *:forget) words+=' '$(_tuntox_hosts) ;;
        *:agent) words+=' ''start run status stop' ;;
      esac
      COMPREPLY=(); mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
      ;;
  esac
}
complete -F _tuntox tuntox

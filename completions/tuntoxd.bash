# Completion of tuntoxd for bash, made by `make manual`
_tuntoxd() {
  local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD - 1]}"
  COMPREPLY=()
  case $previous in
    --config | -c | --pid-file | -F | --network-nodes-file | --access-secret-file | --targets-rules-file) compopt -o filenames 2>/dev/null; COMPREPLY=(); mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
    --state-dir | -C) compopt -o filenames 2>/dev/null; COMPREPLY=(); mapfile -t COMPREPLY < <(compgen -d -- "$current") ;;
    --user | -U) COMPREPLY=(); mapfile -t COMPREPLY < <(compgen -u -- "$current") ;;
    --socket-path | --socket-group | --agent-users | --log-level | --log-format | --network-udp-ports | --network-relay-port | --network-bootstrap | --network-proxy | --access-require | --targets-source | --http-listen) : ;;
    *)
      local words='--config -c --check --background -z -D --pid-file -F --syslog -S --verbose -d --quiet -q --no-color --version -V --help -h --state-dir -C --user -U --socket-path --socket-group --agent-users --log-level --log-format --network-udp-ports --network-relay-port --network-bootstrap --network-nodes-file --network-lan-discovery --network-port-mapping --network-proxy --access-require --access-open --access-secret-file --targets-rules-file --targets-any --targets-speed-test --targets-source --http-listen'
      COMPREPLY=(); mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
      ;;
  esac
}
complete -F _tuntoxd tuntoxd

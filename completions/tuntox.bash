# Completion of tuntox for bash
_tuntox() {
  local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD - 1]}"
  COMPREPLY=()
  case $previous in
    -C)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -d -- "$current")
      ;;
    -I | -f | -b | -F | --secret-file)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      ;;
    -U) mapfile -t COMPREPLY < <(compgen -u -- "$current") ;;
    -i | -L | -W | -P | -u | -t | -s | --bootstrap | --proxy | --timeout | --max-retries) ;;
    *)
      mapfile -t COMPREPLY < <(compgen -W '-C -s -i -f -L -W -P -p -I -t -u -b -d -q -V -h -D -z -F -U -S
        --node --secret-file --insecure-open --bootstrap --no-port-mapping --proxy --timeout --max-retries
        --version --help' -- "$current")
      ;;
  esac
}
complete -F _tuntox tuntox

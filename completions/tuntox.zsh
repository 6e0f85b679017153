#compdef tuntox
# Completion of tuntox for zsh, made by `make manual`
_tuntox_hosts() {
  {
    sed -n 's/^ *"name": "\([^"]*\)",*$/\1/p' "${XDG_CONFIG_HOME:-$HOME/.config}/tuntox/hosts.json"
    sed -n 's/^[[:blank:]]*\([^#[:blank:]][^[:blank:]]*\)[[:blank:]].*/\1/p' "$HOME/.tuntox/hosts"
  } 2>/dev/null | grep -x '[A-Za-z0-9][A-Za-z0-9._-]*'
}
_tuntox_first() {
  compadd help share join ssh ssh-config list ping speed forget id agent $(_tuntox_hosts)
}
_tuntox_further() {
  case $words[2] in
    ssh) compadd $(_tuntox_hosts) ;;
    ping) compadd $(_tuntox_hosts) ;;
    speed) compadd $(_tuntox_hosts) ;;
    forget) compadd $(_tuntox_hosts) ;;
    agent) compadd start run status stop ;;
    *) _default ;;
  esac
}
_arguments -S \
  '--for[end after TIME]:TIME:' \
  '--uses[admit at most N clients]:N:' \
  '--qr[print the link as a QR code, too]' \
  '(--rules-file -f)'{--rules-file,-f}'[allow only the targets in FILE]:FILE:_files' \
  '--insecure-open[admit every client that knows the Tox ID]' \
  '*--allow-reverse[let every client that is admitted have this port of the server opened for itself (-R)]:\[BIND\:\]PORT:' \
  '(--background -z)'{--background,-z}'[run in the background as soon as the server works]' \
  '(--pid-file -F)'{--pid-file,-F}'[write the process ID to FILE]:FILE:_files' \
  '(--user -U)'{--user,-U}'[switch from root to USER before anything is opened]:USER:_users' \
  '--node[be a bootstrap node for a private Tox network]' \
  '*'{--forward,-L}'[forward the local port PORT to HOST\:PORT as the server sees it]:\[BIND\:\]PORT\:HOST\:PORT:' \
  '*'{--dynamic,-D}'[open a local port where programs name the targets themselves, by SOCKS5, SOCKS4a or HTTP CONNECT]:\[BIND\:\]PORT:' \
  '--socks-auth[let only the users in FILE use -D]:FILE:_files' \
  '*'{--reverse,-R}'[forward the port PORT of the server to HOST\:PORT as this machine sees it]:\[BIND\:\]PORT\[\:HOST\:PORT\]:' \
  '(--pipe -W -P)'{--pipe,-W,-P}'[connect HOST\:PORT to standard input and output, as for ssh -o ProxyCommand='\''tuntox -i ID -W %h\:%p'\'']:HOST\:PORT:' \
  '--ssh-pipe[as -W, for ssh'\''s ProxyCommand]:PORT:' \
  '(--ping -p)'{--ping,-p}'[measure the round-trip time to the server and exit]' \
  '--timeout[give up after TIME without a connection to the server, at the start or after a loss]:TIME:' \
  '--max-retries[before giving up, search for the server N more times, with pauses that grow from 1 s to 60 s (default 0)]:N:' \
  '--idle-timeout[end after TIME without use]:TIME:' \
  '*'{--identity,-i}'[the Tox ID of the server]:ID:' \
  '(--state-dir -C)'{--state-dir,-C}'[keep the identity in DIR/tox_save]:DIR:_directories' \
  '--secret-file[read the shared secret from FILE]:FILE:_files' \
  '(--secret -s)'{--secret,-s}'[the shared secret]:SECRET:' \
  '(--id-file -I)'{--id-file,-I}'[write this program'\''s own Tox ID to FILE]:FILE:_files' \
  '(--nodes-file -b)'{--nodes-file,-b}'[bootstrap only from the nodes in FILE, in the format of https\://nodes.tox.chat/json]:FILE:_files' \
  '*--bootstrap[bootstrap only from this node]:HOST\:PORT\:KEY:(none)' \
  '(--udp-ports -u)'{--udp-ports,-u}'[use a UDP port from FIRST to LAST]:FIRST\:LAST:' \
  '(--relay-port -t)'{--relay-port,-t}'[be a TCP relay for other peers on this port]:PORT:' \
  '--no-port-mapping[do not ask the router to open ports (PCP, NAT-PMP, UPnP)]' \
  '--proxy[send all Tox traffic through this proxy]:URL:(none)' \
  '--json[print what happens as JSON, one object a line, on standard output (with -W on standard error)]' \
  '(--syslog -S)'{--syslog,-S}'[log to syslog instead of standard error]' \
  '*'{--verbose,-d}'[log debug messages]' \
  '(--quiet -q)'{--quiet,-q}'[log only errors]' \
  '--no-color[use no colours, even on a terminal (as do NO_COLOR and TERM=dumb)]' \
  '(--version -V)'{--version,-V}'[print the version and exit]' \
  '(--help -h)'{--help,-h}'[print all options and exit]' \
  '1: :_tuntox_first' \
  '*: :_tuntox_further'

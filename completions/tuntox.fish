# Completion of tuntox for fish, made by `make manual`
complete -c tuntox -f
function __tuntox_hosts
  set -l config $XDG_CONFIG_HOME
  test -n "$config"; or set config ~/.config
  begin
    sed -n 's/^ *"name": "\([^"]*\)",*$/\1/p' $config/tuntox/hosts.json
    sed -n 's/^[[:blank:]]*\([^#[:blank:]][^[:blank:]]*\)[[:blank:]].*/\1/p' ~/.tuntox/hosts
  end 2>/dev/null | grep -x '[A-Za-z0-9][A-Za-z0-9._-]*'
end
complete -c tuntox -n __fish_use_subcommand -a 'help share join ssh ssh-config list ping speed forget id agent (__tuntox_hosts)'
complete -c tuntox -n '__fish_seen_subcommand_from share ssh ping speed forget' -a '(__tuntox_hosts)'
complete -c tuntox -l for -x -d 'end after TIME'
complete -c tuntox -l uses -x -d 'admit at most N clients (default'
complete -c tuntox -l qr -d 'print the link as a QR code, too'
complete -c tuntox -l idle-timeout -x -d 'end after TIME without use'
complete -c tuntox -s f -l rules-file -r -F -d 'allow only the targets in FILE'
complete -c tuntox -l insecure-open -d 'admit every client that knows the Tox ID'
complete -c tuntox -s z -s D -l background -d 'run in the background as soon as the server works'
complete -c tuntox -s F -l pid-file -r -F -d 'write the process ID to FILE'
complete -c tuntox -s U -l user -x -a '(__fish_complete_users)' -d 'switch from root to USER before anything is opened'
complete -c tuntox -l node -d 'be a bootstrap node for a private Tox network'
complete -c tuntox -s L -l forward -x -d 'forward the local port PORT to HOST:PORT as the server sees it'
complete -c tuntox -s W -s P -l pipe -x -d 'connect HOST:PORT to standard input and output, as for ssh -o ProxyCommand=\'tuntox -i ID -W %h:%p\''
complete -c tuntox -l ssh-pipe -x -d 'as -W, for ssh\'s ProxyCommand'
complete -c tuntox -s p -l ping -d 'measure the round-trip time to the server and exit'
complete -c tuntox -l timeout -x -d 'give up after TIME without a connection to the server, at the start or after a loss'
complete -c tuntox -l max-retries -x -d 'before giving up, search for the server N more times, with pauses that grow from 1 s to 60 s (default 0)'
complete -c tuntox -s i -l identity -x -d 'the Tox ID of the server'
complete -c tuntox -s C -l state-dir -x -a '(__fish_complete_directories (commandline -ct))' -d 'keep the identity in DIR/tox_save'
complete -c tuntox -l secret-file -r -F -d 'read the shared secret from FILE'
complete -c tuntox -s s -l secret -x -d 'the shared secret'
complete -c tuntox -s I -l id-file -r -F -d 'write this program\'s own Tox ID to FILE'
complete -c tuntox -s b -l nodes-file -r -F -d 'bootstrap only from the nodes in FILE, in the format of https://nodes.tox.chat/json'
complete -c tuntox -l bootstrap -x -a 'none' -d 'bootstrap only from this node'
complete -c tuntox -s u -l udp-ports -x -d 'use a UDP port from FIRST to LAST'
complete -c tuntox -s t -l relay-port -x -d 'be a TCP relay for other peers on this port'
complete -c tuntox -l no-port-mapping -d 'do not ask the router to open ports (PCP, NAT-PMP, UPnP), as servers and clients with -L do'
complete -c tuntox -l proxy -x -a 'none' -d 'send all Tox traffic through this proxy'
complete -c tuntox -l json -d 'print what happens as JSON, one object a line, on standard output (with -W on standard error)'
complete -c tuntox -s S -l syslog -d 'log to syslog instead of standard error'
complete -c tuntox -s d -l verbose -d 'log debug messages'
complete -c tuntox -s q -l quiet -d 'log only errors'
complete -c tuntox -l no-color -d 'use no colours, even on a terminal (as do NO_COLOR and TERM=dumb)'
complete -c tuntox -s V -l version -d 'print the version and exit'
complete -c tuntox -s h -l help -d 'print all options and exit'

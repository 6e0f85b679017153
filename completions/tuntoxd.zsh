#compdef tuntoxd
# Completion of tuntoxd for zsh, made by `make manual`
_arguments -S \
  '(--config -c)'{--config,-c}'[read the settings from FILE (default $TUNTOX_CONFIG, or else /etc/tuntox/tuntox.yaml, for a user ~/.config/tuntox/tuntox.yaml)]:FILE:_files' \
  '--check[check the settings and exit]' \
  '(--background -z -D)'{--background,-z,-D}'[run in the background as soon as the daemon works]' \
  '(--pid-file -F)'{--pid-file,-F}'[write the process ID to FILE]:FILE:_files' \
  '(--syslog -S)'{--syslog,-S}'[log to syslog instead of standard error]' \
  '(--verbose -d)'{--verbose,-d}'[log debug messages (--log-level debug)]' \
  '(--quiet -q)'{--quiet,-q}'[log only errors (--log-level error)]' \
  '--no-color[use no colours, even on a terminal (as do NO_COLOR and TERM=dumb)]' \
  '(--version -V)'{--version,-V}'[print the version and exit]' \
  '(--help -h)'{--help,-h}'[print all options and settings, and exit; -h prints a summary]' \
  '(--state-dir -C)'{--state-dir,-C}'[The directory with the identity, the whitelist and the secret]:VALUE:_directories' \
  '(--user -U)'{--user,-U}'[The user to switch to when started as root; leave it out under systemd]:VALUE:_users' \
  '--socket-path[The control socket]:VALUE:' \
  '--socket-group[The group whose members may use the control socket]:VALUE:' \
  '--agent-users[Who may reach the targets of the forwards through agent.sock\: none, group (that of the control socket) or all]:VALUE:' \
  '--log-level[Log level\: error, warn, info, debug or trace]:VALUE:' \
  '--log-format[Log format\: plain, json or journal; auto means journal under systemd, plain elsewhere]:VALUE:' \
  '--network-udp-ports[The first and last UDP port to choose from, such as 33445\:33545; random by default]:VALUE:' \
  '--network-relay-port[The TCP port on which the daemon is a relay for other peers; auto, or 0 for no relay]:VALUE:' \
  '*--network-bootstrap[Bootstrap nodes as HOST\:PORT\:KEY; no others are asked. auto means the public ones, none no nodes]:VALUE:' \
  '--network-nodes-file[A file with bootstrap nodes, in the format of https\://nodes.tox.chat/json]:VALUE:_files' \
  '--network-lan-discovery[Search for peers on the local network. Without effect if bootstrap nodes are given]::yes|no:(true false)' \
  '--network-port-mapping[Ask the router to open ports (NAT-PMP, PCP, UPnP)]::yes|no:(true false)' \
  '--network-proxy[Send all Tox traffic through this proxy\: socks5\://HOST\:PORT or http\://HOST\:PORT]:VALUE:' \
  '--access-require[all\: a client needs the secret and a whitelist entry, if both exist; any\: one of them]:VALUE:' \
  '--access-open[Admit every client that knows the Tox ID, if there is neither a secret nor a whitelist]::yes|no:(true false)' \
  '--access-secret-file[A file with the shared secret, instead of the one that tuntoxctl manages]:VALUE:_files' \
  '--targets-rules-file[A file with the targets that clients may reach beside the services, one HOST\:PORT per line]:VALUE:_files' \
  '--targets-any[Without a rules file, let clients reach every target although there are services]::yes|no:(true false)' \
  '--targets-speed-test[Let clients measure the speed of their connection (tuntox speed NAME)]::yes|no:(true false)' \
  '--targets-source[The source address of connections to targets on loopback\: shared, or per-client for one of each client]:VALUE:' \
  '--http-listen[Serve metrics and health over HTTP on this loopback address, such as 127.0.0.1\:9101; or off]:VALUE:'

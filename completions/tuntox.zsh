#compdef tuntox
# Completion of tuntox for zsh
_arguments -S \
  '*-i[Tox ID: of the server, or of one that is let in]:Tox ID:' \
  '*-L[forward a local port]:[BIND\:]PORT\:HOST\:PORT:' \
  '(-P)-W[connect standard input and output]:HOST\:PORT:' \
  '(-W)-P[the same as -W]:HOST\:PORT:' \
  '-p[ping the server and exit]' \
  '-C[keep the identity in this directory]:directory:_directories' \
  '(--secret-file)-s[the shared secret, for all to see]:secret:' \
  '(-s)--secret-file[read the shared secret from a file]:file:_files' \
  '-I[write the own Tox ID to a file]:file:_files' \
  '-f[allow only the targets in a file]:file:_files' \
  '-b[bootstrap from the nodes in a file]:file:_files' \
  '*--bootstrap[bootstrap from this node, or none]:HOST\:PORT\:KEY, or none:(none)' \
  '-u[use a UDP port of this range]:FIRST\:LAST:' \
  '-t[be a TCP relay on this port]:port:' \
  '--no-port-mapping[do not ask the router to open ports]' \
  '--proxy[connect through this proxy]:URL:' \
  '--timeout[wait so long for a connection]:duration:' \
  '--max-retries[wait so long again so often]:number:' \
  '--insecure-open[let in everybody who knows the Tox ID]' \
  '--node[be a bootstrap node]' \
  '-D[run in the background, or be a SOCKS5 proxy]' \
  '-z[run in the background]' \
  '-F[write the process ID to a file]:file:_files' \
  '-U[run as this user]:user:_users' \
  '-S[log to syslog]' \
  '*-d[say more]' \
  '-q[say nothing but errors]' \
  '(-V --version)'{-V,--version}'[print the version]' \
  '(-h --help)'{-h,--help}'[print the help]'

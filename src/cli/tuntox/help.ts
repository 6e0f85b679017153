/** What `tuntox -h` prints; no line is wider than 80 columns. */
export const HELP = `tuntox - reach a TCP service behind NATs over the Tox network

Server, on the machine to be reached (prints its Tox ID):
  tuntox --secret-file FILE [-C DIR] [-i ALLOWED_ID]... [-f RULES]
Client, with the server's Tox ID:
  tuntox -i ID -L [BIND:]PORT:HOST:PORT...   forward local ports
  tuntox -i ID -W HOST:PORT                  connect standard input and output
  tuntox -i ID -p                            measure the round trip and exit
Bootstrap node, for a Tox network of one's own (prints PORT:KEY):
  tuntox --node -C DIR [-u FIRST:LAST]       its key is kept in DIR/node_key,
                                             its UDP port is 33445 without -u

Server:
  -i ID             let in only this Tox ID; may be repeated. With a secret
                    as well, a client needs both
  -f FILE           allow only the targets in FILE: one HOST:PORT a line, * for
                    any host, 0 for any port, # begins a comment
  --insecure-open   let in everybody who knows the Tox ID; without it a server
                    that has neither a secret nor -i does not start
  -z, -D            run in the background, once the start has succeeded (-D PORT
                    is ssh's SOCKS5 proxy, which this version does not have yet)
  -F FILE           write the process number to FILE, which is removed at the
                    end. If another tuntox uses FILE, this one does not start
  -U USER           as root: become USER before anything is opened
Client:
  -i ID             the server's Tox ID
  -L [BIND:]PORT:HOST:PORT
                    who connects to PORT here reaches HOST:PORT as the server
                    sees it; may be repeated. BIND is 127.0.0.1 unless given,
                    * is every address of this machine
  -W HOST:PORT      connect HOST:PORT to standard input and output, as for
                    ssh -o ProxyCommand='tuntox -i ID -W %h:%p'; -P is the same
  -p                ping the server and exit
  --timeout D       wait so long for a connection to the server, the first and
                    each after a loss, as in 30s, 500ms or 2m (a number alone
                    is seconds), then end; 0 is for ever. Without it -L waits
                    for ever, -W, -P and -p 60 s
  --max-retries N   before ending, wait so long N times more (0 without it),
                    each time after a pause of 1 s, growing to 60 s, and look
                    for the server anew. A connection gives all N back
Both:
  -C DIR            keep the identity in DIR/tox_save. Without it, a server
                    uses /etc/tuntox if it can write there, and a client a new
                    identity each time
  -s SECRET         the shared secret; other users can see it in the process
                    list, so better use one of the next two
  --secret-file F   read the shared secret from F
  TUNTOX_SHARED_SECRET
                    environment variable with the shared secret
  -I FILE           write the own Tox ID to FILE
  -b FILE           bootstrap from the nodes in FILE (JSON, in the format of
                    https://nodes.tox.chat/json) and from no others
  --bootstrap HOST:PORT:KEY
                    bootstrap from this node; may be repeated. As with -b no
                    other node is asked, not even on the local network. none,
                    alone, asks no node: the local network is left, and nodes
                    of an earlier run that -C knows
  -u FIRST:LAST     use a UDP port from FIRST to LAST
  -t PORT           be a TCP relay for others on this port, 0 for none; servers
                    and nodes are relays unless told otherwise, clients are not
  --no-port-mapping do not ask the router to let others reach our ports, which
                    servers and clients with -L do (PCP, NAT-PMP, UPnP)
  --proxy URL       connect through this proxy or not at all, without UDP and
                    without looking up a name but the proxy's:
                    socks5://[USER:PASSWORD@]HOST[:PORT] or
                    http://[USER:PASSWORD@]HOST:PORT (CONNECT), or none.
                    What a server's clients reach does not go through it
  ALL_PROXY         environment variable with the same, for when there is no
                    --proxy; others cannot see the password there
  -S                log to syslog instead of standard error
  -d                say more; twice: say everything
  -q                say nothing but errors
  -V, --version     print the version and exit
  -h, --help        print this help and exit

An IPv6 address goes in brackets: -L 2222:[::1]:22. @ may stand for : in -L,
-W, -P and -u. A server ended by Ctrl-C exits with 0, a client with 130.
Exit status: 0 done, 1 failed, 2 called wrongly, 3 server not found or lost,
4 target not allowed by the server, 5 target not reached by the server, 6 no
Tox network, 7 no connection or answer in time though the server was found, 8
the server does not let this client in, 9 the proxy is of no use.

Without -b and --bootstrap, the nodes come from /etc/tuntox/nodes.json if it
exists, else from the list that comes with tuntox.
`;

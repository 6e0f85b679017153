/** The help of `tuntox`, at most 80 columns wide. Pure. */
import { lines, optionEntry, paragraph } from '../../base/help-layout.js';
import { OPTIONS, type TuntoxOption } from './options.js';

const USAGE = `tuntox - reach a TCP service behind NATs over the Tox network

One service, with a link for the other machine:
  tuntox share PORT | HOST:PORT              (prints the link)
  tuntox join LINK | -                       (opens a local port; - reads LINK)
Server, on the machine to be reached (prints its Tox ID):
  tuntox --secret-file FILE [-C DIR] [-i CLIENT_ID]... [-f RULES]
Client, with the server's Tox ID:
  tuntox -i ID -L [BIND:]PORT:HOST:PORT...   forward local ports
  tuntox -i ID -W HOST:PORT                  connect standard input and output
  tuntox -i ID -p                            measure the round-trip time
Bootstrap node, for a private Tox network (prints PORT:KEY):
  tuntox --node -C DIR [-u FIRST:LAST]
`;

const SUMMARY = ['--identity', '--forward', '--state-dir', '--secret-file', '--verbose', '--version'];

/** The answer to `tuntox -h`: at most 30 lines. */
export const BRIEF_HELP = lines(
  USAGE,
  'Examples:',
  '  tuntox share 22                        on the server',
  '  tuntox join tuntox://...               on the client, then:',
  '  ssh -p 10022 localhost',
  '',
  'Options:',
  ...OPTIONS.filter(({ name }) => SUMMARY.includes(name)).map((option) =>
    optionEntry({ ...option, about: clauseOf(option) }),
  ),
  '',
  'tuntox --help explains all options. See also: man tuntox',
);

/** Returns the first clause of an explanation. */
export function clauseOf({ about }: TuntoxOption): string {
  return about.split(/[.;:] |, and /)[0] as string;
}

const section = (name: TuntoxOption['section']): string =>
  OPTIONS.filter((option) => option.section === name)
    .map(optionEntry)
    .join('\n');

export const HELP = lines(
  USAGE,
  'Options of share:',
  section('share'),
  '',
  'Options of a server:',
  section('server'),
  '',
  'Options of a client:',
  section('client'),
  '',
  'Options of both:',
  section('common'),
  '',
  paragraph(
    'tuntox join opens the port of the service on 127.0.0.1; below 1024 it adds 10000, so 22 becomes 10022. If that port is in use, it opens another one. -L chooses the port.',
  ),
  '',
  paragraph('IPv6 addresses are written in brackets: -L 2222:[::1]:22. In -L, -W and -u, @ may stand for the colon.'),
  '',
  'Environment:',
  '  TUNTOX_SHARED_SECRET    the shared secret',
  '  ALL_PROXY               the proxy, if --proxy is not given; other users cannot',
  '                          see its password there',
  '',
  paragraph(
    'Exit status: 0 success, 1 failure, 2 usage error, 3 server not found or lost, 4 target not allowed by the server, 5 target not reached by the server, 6 no Tox network, 7 no connection or answer in time although the server was found, 8 client not admitted by the server, 9 proxy unusable. After Ctrl-C a server exits with 0, a client with 130.',
  ),
  '',
  paragraph(
    'Without -b and --bootstrap, the bootstrap nodes come from /etc/tuntox/nodes.json, or else from the list in tuntox.',
  ),
);

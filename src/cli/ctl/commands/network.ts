/** `tuntoxctl net`: the connection to the Tox network. */
import { shortKey } from '../../../base/short-key.js';
import { bytesText, countText, durationText } from '../../../base/units.js';
import type { Result } from '../../../control/protocol.js';
import type { Output } from '../../output.js';
import { type Command, show } from '../command.js';
import { elapsedSince } from '../names.js';
import { udpText } from './status.js';

export const NETWORK_COMMANDS: readonly Command[] = [
  {
    path: ['net'],
    about: 'show the connection to the Tox network',
    examples: ['', '--json'],
    run: async (context) => {
      const network = await context.session.call('net', {});
      show(context, network, (result, out) => printNetwork(result, out, context.clock.unixTime()));
    },
  },
];

function printNetwork(network: Result<'net'>, out: Output, now: number): void {
  const { udpPort, udpSocket, proxy, seenAt, portMapping, bootstrapNodes, relays } = network;
  out.field('Network', `${network.state} for ${durationText(elapsedSince(network.since, now))}`);
  out.field('UDP', udpPort === null ? udpText(network.udp) : `${network.udp}, port ${udpPort}, ${udpSocket} socket`);
  out.field('Seen at', seenAt.length === 0 ? 'unknown' : seenAt.join(', '));
  out.field('Gateway', portMapping === null ? 'no port mapping' : `${portMapping.external} (${portMapping.protocol})`);
  out.field('Proxy', proxy ?? 'none');
  const { known, answering, unresolved } = bootstrapNodes;
  const bootstrap = `${answering} of ${countText(known, 'node')} answer${known === 1 ? 's' : ''}`;
  const none = unresolved.length > 0 ? 'no node could be resolved' : 'no nodes configured';
  // Having no nodes is no error here: the warnings of status tell whether it is intended.
  out.field('Bootstrap', known === 0 ? none : bootstrap, {
    style: known + unresolved.length > 0 && answering === 0 ? 'warning' : 'plain',
  });
  for (const { reason } of unresolved) out.line(`           ${reason}`, { indent: 11 });
  out.field('Own relay', ownRelayText(network));
  out.field('Relays', relays.length === 0 ? 'none' : countText(relays.length, 'connection'));
  for (const { address, publicKey } of relays)
    out.line(`           ${address}  ${shortKey(publicKey)}`, { indent: 11 });
}

function ownRelayText({ relayPort, relayClients, bytesRelayed }: Result<'net'>): string {
  if (relayPort === null) return 'none';
  const use = `${countText(relayClients, 'peer')}, ${bytesText(bytesRelayed)} relayed`;
  return `for others on TCP port ${relayPort}: ${use} (turn off with network.relay_port: 0)`;
}

/** What the clients of a server do, as events for people and programs. */
import type { TunnelInfo } from '../../tunnel/link/tunnel-list.js';
import type { TunnelService } from '../../tunnel/tunnel-service.js';
import { explainReason } from '../../tunnel/wire/reasons.js';
import { describeTarget } from '../../tunnel/wire/target.js';
import type { ClientEventHandler } from './client-admission.js';

interface OfClient {
  /** Public key, 64 lower-case hex digits. */
  readonly client: string;
}

interface OfTunnel extends OfClient {
  /** `host:port`, or the name of a service. */
  readonly target: string;
}

export type ClientNews =
  | ({
      readonly event: 'client-connected';
      readonly path: 'direct' | 'relayed';
      readonly rttMs?: number | undefined;
    } & OfClient)
  | ({ readonly event: 'client-disconnected' } & OfClient)
  | ({ readonly event: 'tunnel-opened' } & OfTunnel)
  | ({
      readonly event: 'tunnel-closed';
      readonly receivedBytes: number;
      readonly sentBytes: number;
      /** Both are missing when the tunnel ended in good order. */
      readonly code?: string | undefined;
      readonly message?: string | undefined;
    } & OfTunnel)
  | ({ readonly event: 'tunnel-refused'; readonly code: string; readonly message: string } & OfTunnel);

/** For Engine.serve. */
export const connectionNews =
  (tell: (news: ClientNews) => void): ClientEventHandler =>
  (key, event) => {
    const client = key.toLowerCase();
    if (event.event === 'connected') tell({ ...event, event: 'client-connected', client });
    else if (event.event === 'disconnected') tell({ event: 'client-disconnected', client });
  };

/** Tells of all tunnels from now on. */
export function followTunnels(tunnels: TunnelService, tell: (news: ClientNews) => void): void {
  tunnels.on('opened', (tunnel) => tell({ event: 'tunnel-opened', ...whoAndWhere(tunnel) }));
  tunnels.on('closed', (tunnel, reason) => {
    const { bytesReceived: receivedBytes, bytesSent: sentBytes } = tunnel;
    const why = reason === undefined ? {} : { code: reason, message: explainReason(reason) };
    tell({ event: 'tunnel-closed', ...whoAndWhere(tunnel), receivedBytes, sentBytes, ...why });
  });
  tunnels.on('refused', (peerId, target, code, message) => {
    tell({ event: 'tunnel-refused', ...whoAndWhere({ peerId, target }), code, message });
  });
}

const whoAndWhere = ({ peerId, target }: Pick<TunnelInfo, 'peerId' | 'target'>) => ({
  client: peerId.toLowerCase(),
  target: describeTarget(target),
});

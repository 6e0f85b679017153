/** Counts the tunnels of clients and their bytes since the start, and the refused tunnels. */
import type { Clock } from '../../base/clock.js';
import type { Engine } from '../../engine/engine.js';
import { RefusalCounts } from '../../engine/server/refusal-counts.js';

type TunnelInfo = ReturnType<Engine['tunnels']['list']>[number];

export class TunnelTotals {
  readonly #tunnels: Engine['tunnels'];
  /** Refused tunnels, by reason. */
  readonly refusals: RefusalCounts;
  /** Tunnels. */
  opened = 0;
  /** Bytes of closed tunnels. */
  #received = 0;
  #sent = 0;

  constructor(deps: { readonly clock: Clock; readonly tunnels: Engine['tunnels'] }) {
    this.#tunnels = deps.tunnels;
    this.refusals = new RefusalCounts(deps.clock);
    deps.tunnels.on('opened', (tunnel) => {
      if (isOfClient(tunnel)) this.opened += 1;
    });
    deps.tunnels.on('closed', (tunnel) => {
      if (!isOfClient(tunnel)) return;
      const { bytesReceived, bytesSent } = tunnel;
      this.#received += bytesReceived;
      this.#sent += bytesSent;
    });
    deps.tunnels.on('port-refused', (_peer, _place, reason) => this.refusals.add(`port-${reason}`));
    deps.tunnels.on('refused', (_peer, _target, reason) => this.refusals.add(`target-${reason}`));
  }

  /** Open tunnels. */
  get open(): number {
    return this.#list.length;
  }

  get bytesReceived(): number {
    return this.#list.reduce((sum, { bytesReceived }) => sum + bytesReceived, this.#received);
  }

  get bytesSent(): number {
    return this.#list.reduce((sum, { bytesSent }) => sum + bytesSent, this.#sent);
  }
  get #list(): TunnelInfo[] {
    return this.#tunnels.list().filter(isOfClient);
  }
}

/** The others are those of our own forwards. */
const isOfClient = ({ peerRole }: TunnelInfo): boolean => peerRole === 'client';

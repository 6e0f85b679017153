/** What is logged about tunnels. */
import type { Logger } from '../base/logger.js';
import { bytesText } from '../base/units.js';
import type { PeerLog } from './link/peer-log.js';
import type { TunnelInfo } from './link/tunnel-list.js';
import { targetOfPlace } from './wire/listen.js';
import { describeReason, type Reason } from './wire/reasons.js';
import { describeTarget } from './wire/target.js';

export class TunnelLog {
  readonly #log: Logger;
  readonly #peerLog: PeerLog;

  constructor(log: Logger, peerLog: PeerLog) {
    this.#log = log;
    this.#peerLog = peerLog;
  }

  opened(info: TunnelInfo): void {
    this.#say(info, 'opened', info.peerRole === 'client');
  }

  /** @param reason undefined when the tunnel ended in good order */
  ended(info: TunnelInfo, reason: Reason | undefined): void {
    // A client sees its tunnels open and close; the owner of a server does not.
    const isNews = info.peerRole === 'client' || reason !== undefined;
    const traffic = `, ${bytesText(info.bytesReceived)} in, ${bytesText(info.bytesSent)} out`;
    this.#say(info, 'ended', isNews, traffic + (reason === undefined ? '' : `: ${describeReason(reason)}`));
  }

  #say(info: TunnelInfo, what: 'opened' | 'ended', isNews: boolean, why = ''): void {
    const { peerId } = info;
    const text = `tunnel ${wayOf(info)} ${what}${why}`;
    if (isNews) this.#peerLog.say(peerId, `tunnel ${what}`, text);
    else this.#log.debug(this.#peerLog.textOf(peerId, text));
  }
}

/** The target of a tunnel, and where its connection came in if that is the other side (-R). */
function wayOf({ target, listener, peerRole }: TunnelInfo): string {
  if (listener === undefined) return `to ${describeTarget(target)}`;
  const from = `from ${describeTarget(targetOfPlace(listener))}`;
  return peerRole === 'client' ? `${from} (-R)` : `${from} there to ${describeTarget(target)}`;
}

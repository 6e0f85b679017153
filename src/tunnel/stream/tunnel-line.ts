/** What holds between a tunnel and the link that carries it. */
import type { Reason } from '../wire/reasons.js';
import type { Target } from '../wire/target.js';
import type { WindowPool } from './receive-window.js';

export type Terms =
  /** `linger`: ms without data, after the local program's end, that count as the peer's end. */
  | { readonly kind: 'upstream'; readonly linger: number }
  /** `credit`: bytes that the peer takes before its first window frame. */
  | { readonly kind: 'extended'; readonly credit: number; readonly pool: WindowPool };

export interface TunnelIdentity {
  readonly id: number;
  readonly side: 'opener' | 'acceptor';
  readonly target: Target;
}

/** What a line knows of its tunnel. */
export interface LineUser {
  readonly identity: TunnelIdentity;
  /**
   * Sends data frames until they have so many bytes, and what else is due.
   * @returns 'full' when the channel took no more, 'more' when only the limit stopped it
   */
  takeTurn(limit: number): 'idle' | 'more' | 'full';
}

/** What a tunnel needs of its link. */
export interface TunnelLine {
  /** Bytes of data in a frame at the most, now. */
  frameData(): number;
  /** Called only within `takeTurn`. */
  send(frame: Buffer): boolean;
  wantTurn(tunnel: LineUser): void;
  /** ms */
  roundTrip(): number;
  /** So many bytes more, or less, wait for the local program. */
  onBacklog(change: number): void;
  /** The id is free. */
  onLineOver(tunnel: LineUser): void;
  /** The local end is over too; `reason` when the tunnel did not end in good order. */
  onOver(tunnel: LineUser, reason: Reason | undefined): void;
}

/** What happens to the connection of a client with its server, as programs read it, one JSON object a line. */

/** How far a client is on the way to its server. */
export type StageEvent = {
  /**
   * `bootstrapping`: no node of the Tox network answers yet. `searching`: no node knows the server yet. `asking`: nodes know it, and it
   * is asked through them. `punching`: an address of it is known, and both sides send packets there, through their NATs.
   */
  readonly event: 'bootstrapping' | 'searching' | 'asking' | 'punching';
};

export type ConnectedEvent = {
  /** The first time, whenever the path has changed, and when the round trip was not known before. */
  readonly event: 'connected';
  readonly path: 'direct' | 'relayed';
  /** Round trip; missing before one was measured. */
  readonly rttMs?: number | undefined;
};

/** There was no connection in time. The search goes on after `pauseMs`; `left` times more in all. */
export type RetryEvent = {
  readonly event: 'retry';
  readonly code: string;
  readonly message: string;
  readonly pauseMs: number;
  readonly left: number;
};

export type ConnectionEvent =
  | StageEvent
  | ConnectedEvent
  | {
      readonly event: 'disconnected';
      /** Why; missing if it is not known. */
      readonly reason?: string;
    }
  /** There is still no connection. The message has the reason, and what to do. */
  | { readonly event: 'waiting'; readonly code: string; readonly message: string }
  /**
   * The same when the server has been found, and has not answered for longer than it takes. A server never answers a client that it
   * refuses, so this is inferred; it may have stopped a moment ago.
   */
  | { readonly event: 'refused'; readonly code: string; readonly message: string }
  | RetryEvent
  /** The search is given up, or what the connection was needed for has failed: nothing follows. */
  | { readonly event: 'error'; readonly code: string; readonly message: string };

/** `…; trying again in 1.5 s, the last try` */
export function retryText({ message, pauseMs, left }: Omit<RetryEvent, 'event' | 'code'>): string {
  const tries = left === 1 ? 'the last try' : `${left} tries left`;
  return `${message}; trying again in ${(pauseMs / 1000).toFixed(1)} s, ${tries}`;
}

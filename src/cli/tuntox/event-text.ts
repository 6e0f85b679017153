/** The events of a connection in words, for a person who waits. Pure. */
import type { ConnectedEvent, StageEvent } from '../../base/connection-event.js';

type Connected = Omit<ConnectedEvent, 'event'>;

/** @param name the server */
export function stageText({ event }: StageEvent, name: string): string {
  switch (event) {
    case 'bootstrapping':
      return 'joining the Tox network';
    case 'searching':
      return `searching for ${name}`;
    case 'asking':
      return `asking ${name} for a connection`;
    case 'punching':
      return `opening the NATs between here and ${name}`;
  }
}

/** What may help, by the code of the event `waiting` or `refused`. */
const HINTS: Readonly<Record<string, string>> = {
  'no-network': 'is this machine online?',
  'not-found': 'is it running, and online?',
  'not-admitted': 'it has not admitted this client',
  'no-connection': 'it does not answer yet',
};

/** @param seconds since when there is no connection @param code of the last event that had one */
export function waitingText(stage: StageEvent, name: string, { seconds, code }: Waiting): string {
  const hint = code === undefined ? undefined : HINTS[code];
  return `${stageText(stage, name)}, ${seconds} s${hint === undefined ? '' : `: ${hint}`}`;
}

export interface Waiting {
  readonly seconds: number;
  readonly code: string | undefined;
}

/** ms for which a connection may become settled before it is reported as it is. */
export const SETTLING = 3_000;

/** Whether its path is the best, and its round trip known: a relayed connection may still become direct. */
export const isSettled = ({ path, rttMs }: Connected): boolean => path === 'direct' && rttMs !== undefined;

/** `direct, 23 ms` */
export function pathText({ path, rttMs }: Connected): string {
  return rttMs === undefined ? path : `${path}, ${roundTripText(rttMs)}`;
}

const roundTripText = (ms: number): string => `${ms < 10 ? Number(ms.toFixed(1)) : Math.round(ms)} ms`;

/** Why there is no connection to a server. A server never answers a client that it refuses, so the reason is inferred. */
import { CodedError } from '../../base/coded-error.js';
import type { Friend } from '../../tox/messenger.js';
import { proxyText } from '../network/proxy-text.js';
import type { ProxyError } from '../network/tox-stack.js';
import type { SettingNames } from '../state/setting-names.js';

export type ServerErrorCode =
  | 'proxy'
  /** No node of the Tox network answers us. */
  | 'no-network'
  /** The network answers, but no node there knows the server. */
  | 'not-found'
  /** Nodes know the server, and it has not answered for longer than it takes. */
  | 'not-admitted'
  /** The server was found or has even answered, but there is no connection. */
  | 'no-connection'
  /** The server has said that it ends and does not come back. */
  | 'share-ended';

/** The message names the server and says what to do. */
export class ServerError extends CodedError<ServerErrorCode> {}

/** ms from finding a server to its answer: normally 0.2 s, and several with packet loss. Afterwards the error is `not-admitted`. */
const ANSWER_TIME = 5_000;

/** The key of this client, for its owner and that of the server. */
export interface OwnKey {
  /** Its first digits. */
  readonly short: string;
  /** By which it is compared. */
  readonly words: string | undefined;
  /** Whether the next run has the same one. */
  readonly isStored: boolean;
}

export interface Situation {
  /** The name of the server, for people. */
  readonly name: string;
  readonly ownKey: OwnKey;
  readonly isOnline: boolean;
  readonly hasBootstrapNodes: boolean;
  readonly proxyFault: ProxyError | undefined;
  readonly standing: Friend['standing'];
  /** ms without a connection. */
  readonly away: number;
  /** ms of the clock. */
  readonly now: number;
  readonly names: SettingNames;
}

export function serverError(situation: Situation): ServerError {
  const code = codeOf(situation);
  return new ServerError(code, textOf(code, situation));
}

type InferredCode = Exclude<ServerErrorCode, 'share-ended'>;

export const shareEnded = (name: string): ServerError =>
  new ServerError('share-ended', `${name} has ended its share: ask its owner for a new link`);

function codeOf({ isOnline, proxyFault, standing, now }: Situation): InferredCode {
  if (proxyFault !== undefined) return 'proxy';
  if (!isOnline) return 'no-network';
  switch (standing.kind) {
    case 'sought':
      return 'not-found';
    case 'found':
      return now - standing.since < ANSWER_TIME ? 'no-connection' : 'not-admitted';
    case 'answering':
      return 'no-connection';
  }
}

function textOf(code: InferredCode, situation: Situation): string {
  const { name, names, ownKey, away, proxyFault, hasBootstrapNodes } = situation;
  const time = away < 10_000 ? `${Number((away / 1000).toFixed(1))} s` : `${Math.round(away / 1000)} s`;
  switch (code) {
    case 'proxy':
      return proxyFault === undefined ? '' : proxyText(proxyFault, names.proxy);
    case 'no-network':
      if (!hasBootstrapNodes) {
        return (
          `no node of the Tox network was found in ${time} without bootstrap nodes: check that a peer runs on the local ` +
          `network, or name a node with ${names.nodes}`
        );
      }
      return (
        `no node of the Tox network has answered for ${time}: check that this machine is online and lets UDP or TCP out, ` +
        `and the nodes of ${names.nodes} if there are any`
      );
    case 'not-found':
      return `${name} has not been found for ${time}: check that it runs and is online, and that its Tox ID is right`;
    case 'not-admitted':
      return (
        `${name} is reachable, but has not admitted this client for ${time}: check the secret, or ask for a new link if ` +
        `yours is used up; or ${askOwner(ownKey, names)}; or the server stopped less than five minutes ago`
      );
    case 'no-connection': {
      const longer = names.timeout === undefined ? '' : `, or wait longer with ${names.timeout}`;
      return `${name} was found, but there has been no connection to it for ${time}: try again${longer}`;
    }
  }
}

/** The words and not the digits, which somebody else's key may have too. */
function askOwner({ short, words, isStored }: OwnKey, { directory }: SettingNames): string {
  const kept = isStored ? '' : ` (${directory} keeps the key for the next run)`;
  if (words === undefined) return `ask its owner to run tuntoxctl clients approve ${short}${kept}`;
  return `tell its owner the words of your key: tuntoxctl clients approve ${words}${kept}`;
}

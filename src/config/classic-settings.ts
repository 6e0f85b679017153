/** What the classic command was told to do, checked and typed: from the flags and the environment. */
import type { LogLevel } from '../base/logger.js';
import type { PublicKey } from '../tox/crypto/keys.js';
import type { ToxId } from '../tox/crypto/tox-id.js';
import type { ForwardText, HostAndPort, NodeAddress, PortRange } from './formats.js';

/** Where the shared secret comes from; it is read only when it is needed. */
export type SecretSource =
  | { readonly from: 'nowhere' }
  | { readonly from: 'flag' | 'environment'; readonly text: string }
  | { readonly from: 'file'; readonly path: string };

export interface CommonSettings {
  readonly logLevel: LogLevel;
  /** Where the identity lives (-C); undefined leaves it to the mode. */
  readonly directory: string | undefined;
  /** Gets our Tox ID in plain text (-I). */
  readonly idFile: string | undefined;
  readonly secret: SecretSource;
  /** Undefined lets chance choose. */
  readonly udpPorts: PortRange | undefined;
  /** TCP, for being a relay (-t); 0 for being none, undefined leaves it to the mode. */
  readonly relayPort: number | undefined;
  /** Whether a router may be asked to let the world in (not --no-port-mapping). */
  readonly portMapping: boolean;
  /** As soon as one of the two is given, no other node is asked: a private network stays private. */
  readonly nodesFile: string | undefined;
  readonly nodes: readonly NodeAddress[];
}

export interface ServerSettings extends CommonSettings {
  readonly mode: 'server';
  /** Empty when there is no whitelist. */
  readonly whitelist: readonly PublicKey[];
  readonly rulesFile: string | undefined;
  readonly isInsecureOpen: boolean;
}

export interface ForwardSettings extends CommonSettings {
  readonly mode: 'forward';
  readonly serverId: ToxId;
  readonly forwards: readonly ForwardText[];
}

export interface PipeSettings extends CommonSettings {
  readonly mode: 'pipe';
  readonly serverId: ToxId;
  readonly target: HostAndPort;
}

export interface PingSettings extends CommonSettings {
  readonly mode: 'ping';
  readonly serverId: ToxId;
}

/** A bootstrap node, which has neither an identity nor tunnels. */
export interface NodeSettings extends CommonSettings {
  readonly mode: 'node';
}

export type ClientSettings = ForwardSettings | PipeSettings | PingSettings;
export type RunSettings = ServerSettings | ClientSettings | NodeSettings;

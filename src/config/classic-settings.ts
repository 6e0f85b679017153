/** What the classic command was told to do, checked and typed: from the flags and the environment. */
import type { LogLevel } from '../base/logger.js';
import type { PublicKey } from '../tox/crypto/keys.js';
import type { ToxId } from '../tox/crypto/tox-id.js';
import type { ForwardText, HostAndPort, NodeAddress, PortRange } from './formats.js';
import type { ProxySetting } from './proxy.js';

/** Where the shared secret comes from; it is read only when it is needed. */
export type SecretSource =
  | { readonly from: 'nowhere' }
  | { readonly from: 'flag' | 'environment'; readonly text: string }
  | { readonly from: 'file'; readonly path: string };

/** How long a client waits for its server. */
export interface RetryPolicy {
  /** ms for the first connection, and for each that was lost; undefined: without end. */
  readonly timeout: number | undefined;
  /** How often it waits so long again, in a row. */
  readonly maxRetries: number;
}

/** How a process lives that nobody watches. */
export interface ServiceSettings {
  /** Whether to go into the background (-z, -D). */
  readonly isBackground: boolean;
  /** Gets our process number (-F). */
  readonly pidFile: string | undefined;
  /** Whom to become before anything is opened (-U). */
  readonly user: string | undefined;
}

export interface CommonSettings {
  readonly logLevel: LogLevel;
  /** Whether the log goes to syslog (-S). */
  readonly isSyslog: boolean;
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
  /** Empty: none at all, and then there is no file. */
  readonly nodes: readonly NodeAddress[] | undefined;
  /** Through which everything goes; undefined for none. */
  readonly proxy: ProxySetting | undefined;
}

export interface ServerSettings extends CommonSettings {
  readonly mode: 'server';
  readonly service: ServiceSettings;
  /** Empty when there is no whitelist. */
  readonly whitelist: readonly PublicKey[];
  readonly rulesFile: string | undefined;
  readonly isInsecureOpen: boolean;
}

interface OfClient extends CommonSettings {
  readonly serverId: ToxId;
  readonly patience: RetryPolicy;
}

export interface ForwardSettings extends OfClient {
  readonly mode: 'forward';
  readonly service: ServiceSettings;
  readonly forwards: readonly ForwardText[];
}

export interface PipeSettings extends OfClient {
  readonly mode: 'pipe';
  readonly target: HostAndPort;
}

export interface PingSettings extends OfClient {
  readonly mode: 'ping';
}

/** A bootstrap node, which has neither an identity nor tunnels. */
export interface NodeSettings extends CommonSettings {
  readonly mode: 'node';
  readonly service: ServiceSettings;
}

export type ClientSettings = ForwardSettings | PipeSettings | PingSettings;
/** Those that live until somebody stops them. */
export type LastingSettings = ServerSettings | ForwardSettings | NodeSettings;
export type RunSettings = LastingSettings | ClientSettings;

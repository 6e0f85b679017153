/** The settings of the classic command, from its flags and the environment. */
import type { LogLevel } from '../base/logger.js';
import type { PublicKey } from '../tox/crypto/keys.js';
import type { ToxId } from '../tox/crypto/tox-id.js';
import type { HostAndPort, NodeAddress, PortRange } from './formats.js';
import type { ForwardText } from './forward-text.js';
import type { ProxySetting } from './proxy.js';

/** Where the shared secret comes from. */
export type SecretSource =
  | { readonly from: 'nowhere' }
  | { readonly from: 'flag' | 'environment' | 'link' | 'host'; readonly text: string }
  | { readonly from: 'file'; readonly path: string };

/** How long a client waits for its server. */
export interface RetryPolicy {
  /** ms for the first connection, and for each one after a loss; undefined waits forever. */
  readonly timeout: number | undefined;
  /** How often it waits that long again, in a row. */
  readonly maxRetries: number;
}

/** How a command runs as a service. */
export interface ServiceSettings {
  /** Whether to go into the background (-z, -D). */
  readonly isBackground: boolean;
  /** Gets the process ID (-F). */
  readonly pidFile: string | undefined;
  /** The user to become before anything is opened (-U). */
  readonly user: string | undefined;
}

export interface CommonSettings {
  readonly logLevel: LogLevel;
  /** Whether the log goes to syslog (-S). */
  readonly isSyslog: boolean;
  /** Whether events are printed (--json). */
  readonly isJson?: boolean;
  /** The directory of the identity (-C); undefined means the default of the mode. */
  readonly directory: string | undefined;
  /** Gets our Tox ID as text (-I). */
  readonly idFile: string | undefined;
  readonly secret: SecretSource;
  /** Undefined means a random port. */
  readonly udpPorts: PortRange | undefined;
  /** The TCP port of the relay (-t); 0 means no relay, undefined the default of the mode. */
  readonly relayPort: number | undefined;
  /** Whether to ask the router to open ports (not --no-port-mapping). */
  readonly portMapping: boolean;
  /** If one of the two is given, no other nodes are asked: a private network stays private. */
  readonly nodesFile: string | undefined;
  /** Empty means no nodes; then there is no file. */
  readonly nodes: readonly NodeAddress[] | undefined;
  readonly proxy: ProxySetting | undefined;
  /** Default true. */
  readonly lanDiscovery?: boolean;
}

export interface ServerSettings extends CommonSettings {
  readonly mode: 'server';
  readonly service: ServiceSettings;
  /** Empty if there is no whitelist. */
  readonly whitelist: readonly PublicKey[];
  readonly rulesFile: string | undefined;
  readonly isInsecureOpen: boolean;
  /** Those that clients may have opened; `bind` undefined: at all addresses, port 0: any from 1024 on. */
  readonly ports: readonly { readonly bind: string | undefined; readonly port: number }[];
}

/** `tuntox share`: a server for one target, with a secret of its own. */
export interface ShareSettings extends CommonSettings {
  readonly mode: 'share';
  readonly service: ServiceSettings;
  readonly target: HostAndPort;
  /** ms after which it ends; undefined for no end. */
  readonly duration: number | undefined;
  /** How many clients it admits; undefined for any number. */
  readonly uses: number | undefined;
  /** Whether to print the link as a QR code as well. */
  readonly hasQr: boolean;
}

interface OfClient extends CommonSettings {
  readonly serverId: ToxId;
  readonly patience: RetryPolicy;
  /** The stored host that the server is; undefined for a server that is given by its Tox ID or a link. */
  readonly host?: NamedHost;
}

/** What people see of a server: the name of the host, or the first digits of its key. */
export const serverName = ({ host, serverId }: Pick<OfClient, 'host' | 'serverId'>): string =>
  host?.name ?? serverId.publicKey.short;

export interface NamedHost {
  readonly name: string;
  /** Undefined if the server needs none. */
  readonly secret: string | undefined;
}

export interface ForwardSettings extends OfClient {
  readonly mode: 'forward';
  readonly service: ServiceSettings;
  readonly forwards: readonly ForwardText[];
  /** Of those who may use -D. */
  readonly proxyUsersFile?: string | undefined;
  /** Whether another local port may take the place of one that is in use. */
  readonly mayMovePorts: boolean;
  /** ms without a connection after which it ends; undefined for no end. */
  readonly idleTimeout: number | undefined;
}

export interface PipeSettings extends OfClient {
  readonly mode: 'pipe';
  /** The port of the sshd that is sought, for which the server may have a service; undefined with -W. */
  readonly sshPort?: number;
  readonly target: HostAndPort;
}

export interface PingSettings extends OfClient {
  readonly mode: 'ping';
}

/** `tuntox speed NAME` */
export interface SpeedSettings extends OfClient {
  readonly mode: 'speed';
}

/** `tuntox join LINK NAME`: connects once, and stores the host. */
export interface StoreSettings extends OfClient {
  readonly mode: 'store';
  readonly host: NamedHost;
  /** What the link is for; undefined if it says nothing. */
  readonly target: HostAndPort | undefined;
}

/** `tuntox NAME` alone: what the host offers. */
export interface ServicesSettings extends OfClient {
  readonly mode: 'services';
}

/** `tuntox agent`: the connections of a user to hosts. */
export interface AgentSettings extends CommonSettings {
  readonly mode: 'agent';
  readonly service: ServiceSettings;
  /** ms without use after which it ends; undefined for no end. */
  readonly idleTimeout: number | undefined;
  /** The options about the network, as `--bootstrap=…`. */
  readonly networkOptions: readonly string[];
}

/** A bootstrap node has neither an identity nor tunnels. */
export interface NodeSettings extends CommonSettings {
  readonly mode: 'node';
  readonly service: ServiceSettings;
}

export type ClientSettings =
  | ForwardSettings
  | PipeSettings
  | PingSettings
  | SpeedSettings
  | StoreSettings
  | ServicesSettings;
/** These modes run until they are stopped. */
export type LastingSettings = ServerSettings | ShareSettings | ForwardSettings | NodeSettings | AgentSettings;
export type RunSettings = LastingSettings | ClientSettings;

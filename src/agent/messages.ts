/**
 * What a client and the agent say to each other on the agent's socket (docs/agent-protocol.md). The agent greets with a line; the
 * client asks with one line; the agent answers with lines. All lines are JSON objects. After the event `open`, bytes follow (chunks.ts).
 *
 *     agent:   {"event":"hello","version":1,"program":"tuntox 0.2.0","pid":4711}
 *     client:  {"version":1,"ask":"open","host":{"toxId":"…"},"target":{"host":"127.0.0.1","port":22}}
 *     agent:   {"event":"open"}
 */

import { ALIAS } from '../base/alias.js';
import { isUnixPath } from '../base/unix-path.js';

/** `status` and `stop` are understood in every version. */
export const AGENT_VERSION = 1;
/** Bytes of a request with its newline; the longest secret and name take less than half of it. */
export const MAX_REQUEST_SIZE = 4_096;
/** Bytes of an event with its newline. */
export const MAX_EVENT_SIZE = 64 * 1024;

export interface AgentHost {
  /** 76 hex digits. */
  readonly toxId: string;
  readonly secret?: string | undefined;
  /** What errors call the server; default: the first digits of its key. */
  readonly name?: string | undefined;
}

export type AgentTarget =
  | (({ readonly host: string; readonly port: number } | { readonly service: string }) & {
      /** Undefined: TCP. */
      readonly protocol?: 'udp' | undefined;
    })
  /** A Unix socket of the server; absolute. */
  | { readonly path: string };

/** What the agent's own machine has: a TCP port as it sees it, or a Unix socket. */
export type OwnTarget = { readonly host: string; readonly port: number } | { readonly path: string };

export interface AgentProxyUser {
  readonly name: string;
  readonly password: string;
}

interface ToServer {
  readonly host: AgentHost;
  /** Whether to refuse at once if the agent is not connected to the server. */
  readonly onlyIfConnected?: boolean | undefined;
  /** ms for a connection to the server; undefined: without end. */
  readonly timeout?: number | undefined;
  /** How many more times in a row it waits so long. */
  readonly maxRetries?: number | undefined;
}

export type ServerRequest =
  /** Connects this connection with a target of the server. */
  | ({ readonly ask: 'open'; readonly target: AgentTarget } & ToServer)
  /**
   * Has the server open a port, and connects what comes in there with a target of this machine, until the client disconnects. `bind` is
   * an address of the server; null for all of them. Port 0 means any. Without a target each connection names its own, as to a proxy;
   * `users` may then do so, by default everybody.
   */
  | ({
      readonly ask: 'listen';
      readonly at: { readonly bind: string | null; readonly port: number };
      readonly target?: OwnTarget | undefined;
      readonly users?: readonly AgentProxyUser[] | undefined;
    } & ToServer)
  /** Measures round trips, one after another. */
  | ({ readonly ask: 'ping'; readonly count: number } & ToServer)
  /** Lists what the server offers. */
  | ({ readonly ask: 'services' } & ToServer)
  /**
   * Stays connected to the server, and tells its events, until the client disconnects. `targets`: what it will open; refused at once if
   * the agent would refuse one of them.
   */
  | ({ readonly ask: 'hold'; readonly targets?: readonly AgentTarget[] | undefined } & ToServer);

/** Requests that name a server. */
export type HostRequest =
  | ServerRequest
  /** Disconnects from the server as soon as nobody uses it, and not only after the idle time. */
  | { readonly ask: 'leave'; readonly host: AgentHost };

export type AgentRequest =
  | HostRequest
  | { readonly ask: 'status' }
  /** Ends the agent: `idle`: as soon as nobody uses it. */
  | { readonly ask: 'stop'; readonly when: 'now' | 'idle' };

/** What the agent says. Clients ignore events and members that they do not know. */
export interface AgentEvent {
  readonly event: string;
  readonly [member: string]: unknown;
}

export const encodeLine = (message: object): string => `${JSON.stringify(message)}\n`;

export const encodeRequest = (request: AgentRequest): string => encodeLine({ version: AGENT_VERSION, ...request });

/** @returns undefined if the line is no event */
export function parseEvent(line: string): AgentEvent | undefined {
  const message = parseObject(line);
  return typeof message?.event === 'string' ? (message as unknown as AgentEvent) : undefined;
}

export type ParsedRequest =
  | { readonly kind: 'request'; readonly request: AgentRequest }
  | { readonly kind: 'version'; readonly version: unknown }
  | { readonly kind: 'wrong'; readonly what: string };

/** Never throws. */
export function parseRequest(line: string): ParsedRequest {
  const message = parseObject(line);
  if (message === undefined) return { kind: 'wrong', what: 'a request is a JSON object on one line' };
  const { ask, when } = message;
  if (ask === 'status') return { kind: 'request', request: { ask } };
  if (ask === 'stop') return { kind: 'request', request: { ask, when: when === 'idle' ? 'idle' : 'now' } };
  if (message.version !== AGENT_VERSION) return { kind: 'version', version: message.version };
  const request = message.ask === 'leave' ? leaveRequest(message) : serverRequest(message);
  return typeof request === 'string' ? { kind: 'wrong', what: request } : { kind: 'request', request };
}

type Message = Readonly<Record<string, unknown>>;

/** Returns what is wrong, if it is no request. */
function leaveRequest(message: Message): AgentRequest | string {
  const host = hostOf(message.host);
  return host === undefined ? HOST_EXPECTED : { ask: 'leave', host };
}

/** Returns what is wrong, if it is no request. */
function serverRequest(message: Message): ServerRequest | string {
  const host = hostOf(message.host);
  if (host === undefined) return HOST_EXPECTED;
  const { timeout, maxRetries = 0, onlyIfConnected = false } = message;
  if (timeout !== undefined && !isWhole(timeout, 1, MAX_TIMEOUT)) return 'timeout: a number of ms is expected';
  if (!isWhole(maxRetries, 0, Number.MAX_SAFE_INTEGER)) return 'maxRetries: a number is expected';
  if (typeof onlyIfConnected !== 'boolean') return 'onlyIfConnected: true or false is expected';
  const common = { host, timeout, maxRetries, onlyIfConnected };
  switch (message.ask) {
    case 'hold': {
      const targets = targetsOf(message.targets);
      return targets === undefined ? 'targets: a list of targets is expected' : { ask: 'hold', targets, ...common };
    }
    case 'services':
      return { ask: 'services', ...common };
    case 'ping': {
      const { count = 1 } = message;
      return isWhole(count, 1, MAX_PINGS) ? { ask: 'ping', count, ...common } : 'count: a number is expected';
    }
    case 'open': {
      const target = targetOf(message.target);
      if (target === undefined) return 'target: {"host":"…","port":22}, {"service":"…"} or {"path":"/…"} is expected';
      return { ask: 'open', target, ...common };
    }
    case 'listen': {
      const at = placeOf(message.at);
      const target = ownTargetOf(message.target);
      const users = usersOf(message.users);
      if (at === undefined) return 'at: {"bind":"127.0.0.1","port":8080} is expected; null for all addresses';
      if (target === undefined && message.target !== undefined)
        return 'target: {"host":"…","port":22}, {"path":"/…"} or none is expected';
      if (users === 'invalid' || (users !== undefined && target !== undefined))
        return 'users: [{"name":"…","password":"…"}] is expected, and no target';
      return { ask: 'listen', at, target, users, ...common };
    }
    default:
      return 'ask: open, listen, ping, services, hold, leave, status or stop is expected';
  }
}

const HOST_EXPECTED = 'host: {"toxId":"76 hex digits","secret":"…"} is expected';
/** ms; a day. */
const MAX_TIMEOUT = 24 * 3_600_000;
const MAX_PINGS = 1_000_000;
const MAX_NAME = 253;
/** Bytes of a secret; a friend request has no room for more. */
const MAX_SECRET = 920;

function hostOf(value: unknown): AgentHost | undefined {
  const { toxId, secret, name } = isObject(value) ? value : {};
  if (typeof toxId !== 'string' || !/^[0-9a-fA-F]{76}$/.test(toxId)) return undefined;
  if (secret !== undefined && !(typeof secret === 'string' && Buffer.byteLength(secret) <= MAX_SECRET))
    return undefined;
  if (name !== undefined && !(typeof name === 'string' && ALIAS.test(name))) return undefined;
  return { toxId, secret, name };
}

function targetOf(value: unknown): AgentTarget | undefined {
  const { host, port, service, path, protocol } = isObject(value) ? value : {};
  if (typeof path === 'string') return isUnixPath(path) ? { path } : undefined;
  if (protocol !== undefined && protocol !== 'udp') return undefined;
  if (isName(service)) return { service, protocol };
  return isName(host) && isWhole(port, 1, 65_535) ? { host, port, protocol } : undefined;
}

function placeOf(value: unknown): { readonly bind: string | null; readonly port: number } | undefined {
  const { bind, port } = isObject(value) ? value : {};
  if (bind !== null && !isName(bind)) return undefined;
  return isWhole(port, 0, 65_535) ? { bind, port } : undefined;
}

function ownTargetOf(value: unknown): OwnTarget | undefined {
  const target = targetOf(value);
  if (target === undefined || 'path' in target) return target;
  const isTcp = 'host' in target && target.protocol === undefined;
  return isTcp ? { host: target.host, port: target.port } : undefined;
}

/** A list that cannot be read must not become none, which admits everybody. */
function usersOf(value: unknown): AgentProxyUser[] | undefined | 'invalid' {
  if (value === undefined) return undefined;
  if (!Array.isArray(value) || value.length === 0) return 'invalid';
  const users = value.map((one) => {
    const { name, password } = isObject(one) ? one : {};
    return typeof name === 'string' && typeof password === 'string' ? { name, password } : undefined;
  });
  return users.every((one) => one !== undefined) ? users : 'invalid';
}

function targetsOf(value: unknown = []): AgentTarget[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const targets = value.map(targetOf).filter((target) => target !== undefined);
  return targets.length === value.length ? targets : undefined;
}

const isName = (value: unknown): value is string =>
  typeof value === 'string' && value.length > 0 && value.length <= MAX_NAME;

const isWhole = (value: unknown, least: number, most: number): value is number =>
  Number.isInteger(value) && (value as number) >= least && (value as number) <= most;

const isObject = (value: unknown): value is Message =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function parseObject(line: string): Message | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

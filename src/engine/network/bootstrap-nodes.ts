/** The file of bootstrap nodes, in the format of https://nodes.tox.chat/json, which upstream reads too. */
import { existsSync } from 'node:fs';
import { CodedError } from '../../base/coded-error.js';
import { isIP } from '../../base/ip-address.js';
import { ownFile } from '../../base/own-files.js';
import { type ReadOptions, readSmallFile } from '../../base/small-file.js';
import { PublicKey } from '../../tox/crypto/keys.js';
import { JsonSyntaxError, type LocatedJson, parseLocatedJson } from './located-json.js';

/** One address of a node; a node with IPv4 and IPv6 has two. */
export interface BootstrapNode {
  /** A literal address or a name. */
  readonly host: string;
  /** UDP. */
  readonly port: number;
  readonly publicKey: PublicKey;
  /** TCP ports of its relay, if it runs one. */
  readonly tcpPorts: readonly number[];
}

/** The message names the file, the line where there is one, and what is wrong. */
export class BootstrapNodesError extends CodedError<'bad-nodes'> {}

/** Upstream reads this file too. */
const SYSTEM_FILE = '/etc/tuntox/nodes.json';
const PACKAGED_FILE = 'etc/tuntox/nodes.json';
/** The public list has some 50 KiB. */
const MAX_FILE_SIZE = 4 * 1024 * 1024;

/** A file has one of these where there is no address. Upstream ignores every text that is not an address, also a mistyped one. */
const NO_ADDRESS: ReadonlySet<string> = new Set(['', '-', 'NONE']);

/** Returns the system's file if there is one, else the list of the package. */
export function defaultNodesFile(): string {
  return existsSync(SYSTEM_FILE) ? SYSTEM_FILE : ownFile(PACKAGED_FILE);
}

/** @throws FileError, BootstrapNodesError */
export function loadBootstrapNodes(path: string, options?: ReadOptions): BootstrapNode[] {
  return parseBootstrapNodes(readSmallFile(path, MAX_FILE_SIZE, options).toString(), path);
}

/**
 * @param name the name of the file, for the error
 * @throws BootstrapNodesError also when there is no node
 */
export function parseBootstrapNodes(text: string, name: string): BootstrapNode[] {
  try {
    const document = parseLocatedJson(text.replace(/^\ufeff/, ''));
    const list = document.value instanceof Map ? document.value.get('nodes') : undefined;
    if (list === undefined || !isList(list.value)) throw new NodeError(document.line, 'there is no list "nodes"');
    const nodes = list.value.flatMap(nodesOf);
    if (nodes.length === 0) throw new NodeError(list.line, 'the list "nodes" has no node with an address');
    return nodes;
  } catch (error) {
    if (!(error instanceof NodeError) && !(error instanceof JsonSyntaxError)) throw error;
    throw new BootstrapNodesError('bad-nodes', `${name}, line ${error.line}: ${error.message}`, { cause: error });
  }
}

class NodeError extends Error {
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

const isList = (value: LocatedJson['value']): value is readonly LocatedJson[] => Array.isArray(value);

function nodesOf(entry: LocatedJson): BootstrapNode[] {
  const fields = entry.value;
  if (!(fields instanceof Map)) throw new NodeError(entry.line, 'a node is an object in braces');
  const member = (name: string): LocatedJson => fields.get(name) ?? { line: entry.line, value: null };
  const key = member('public_key');
  const publicKey = typeof key.value === 'string' ? PublicKey.parse(key.value) : undefined;
  if (publicKey === undefined)
    throw new NodeError(key.line, 'this node needs a "public_key" of 64 hex digits in quotes');
  const port = portOf(member('port'), 'port');
  const ports = member('tcp_ports');
  const tcpPorts = isList(ports.value) ? ports.value.map((one) => portOf(one, 'tcp_ports')) : [];
  return [addressOf(member('ipv4'), 'ipv4'), addressOf(member('ipv6'), 'ipv6')].flatMap((host) =>
    host === undefined ? [] : [{ host, port, publicKey, tcpPorts }],
  );
}

function portOf({ line, value }: LocatedJson, name: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65535) return value;
  throw new NodeError(line, `"${name}" of this node must be a number from 1 to 65535`);
}

/** Returns a literal address or a name; both fields may have names, as in the public list. */
function addressOf({ line, value }: LocatedJson, name: string): string | undefined {
  if (value === null) return undefined;
  if (typeof value === 'string') {
    if (NO_ADDRESS.has(value.trim())) return undefined;
    if (isIP(value) !== 0 || isName(value)) return value;
  }
  throw new NodeError(line, `"${name}" of this node must be an address or a name in quotes, or "-" for none`);
}

/** Whether it is a name of DNS; digits and dots alone are a mistyped address. */
const isName = (text: string): boolean =>
  text.length <= 253 && /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?$/.test(text) && !/^[0-9.]+$/.test(text);

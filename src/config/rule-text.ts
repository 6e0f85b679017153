/** Parses a rule about targets. */
import { ADDRESS_CLASSES, type AddressClass } from '../base/address-class.js';
import { FormatError } from './format-error.js';
import { isServiceName, parseHost, parsePort, parseServiceName, parseUnixPath, splitAddress } from './formats.js';

export interface RuleText {
  readonly effect: 'allow' | 'deny';
  /** `host` is a name, or an address without brackets. */
  readonly subject:
    | { readonly kind: 'any' }
    | { readonly kind: 'host'; readonly host: string }
    | { readonly kind: 'class'; readonly name: AddressClass }
    | { readonly kind: 'service'; readonly name: string }
    | { readonly kind: 'unix'; readonly path: string };
  /** 0 means any. */
  readonly port: number;
  /** `udp`: it is about UDP alone. Undefined: it allows TCP alone, or denies both. */
  readonly protocol?: 'udp';
  /** The target asks for a header of the PROXY protocol. */
  readonly hasProxyHeader?: true;
}

/**
 * Parses `host:port` as upstream does, with `*` for any host and `0` for any port; `class:NAME:port` for a class of addresses; either
 * with `udp:` in front, and with `deny` before that; the path of a Unix socket; or the name of a service alone. `proxy` may follow one
 * target.
 * @throws FormatError
 */
export function parseRule(text: string): RuleText {
  const [, target] = /^(.+)\s+proxy$/.exec(text) ?? [];
  if (target === undefined) return parsePlainRule(text);
  const rule = parsePlainRule(target.trim());
  const { effect, subject, port, protocol } = rule;
  if (subject.kind === 'service') {
    throw new FormatError(
      `"${target}" is a service: tuntoxctl expose ${target} TARGET --proxy-protocol, without the word proxy`,
    );
  }
  const isOne = subject.kind === 'unix' || (subject.kind === 'host' && port !== 0);
  if (effect === 'deny' || protocol !== undefined || !isOne) {
    throw new FormatError(`"${text}": proxy follows one target of TCP, as in 127.0.0.1:8080 proxy`);
  }
  return { ...rule, hasProxyHeader: true };
}

/** @throws FormatError */
function parsePlainRule(text: string): RuleText {
  if (isServiceName(text)) {
    return { effect: 'allow', subject: { kind: 'service', name: parseServiceName(text) }, port: 0 };
  }
  if (text.startsWith('/')) return { effect: 'allow', subject: { kind: 'unix', path: parseUnixPath(text) }, port: 0 };
  const [, denied] = /^deny\s+(.+)$/.exec(text) ?? [];
  const [, udp, address = ''] = /^(udp:)?(.*)$/s.exec(denied ?? text) ?? [];
  if (denied?.startsWith('/')) {
    throw new FormatError(`"${denied}" is the path of a Unix socket: only those that a line allows may be reached`);
  }
  const parts = splitAddress(address) ?? [];
  const [name, ...rest] = parts.length === 3 && parts[0] === 'class' ? parts.slice(1) : [undefined, ...parts];
  const port = rest.at(-1);
  if (port === undefined || rest.length !== (name === undefined ? 2 : 1)) {
    throw new FormatError(
      `"${text}" is not a rule: use host:port, *:port, host:0 or class:NAME:port, with udp: in front for UDP, with or without deny; the name of a service; or the path of a Unix socket`,
    );
  }
  return {
    effect: denied === undefined ? 'allow' : 'deny',
    subject: name === undefined ? parseSubject(rest[0] ?? '', text) : { kind: 'class', name: parseClass(name) },
    port: port === '0' ? 0 : parsePort(port),
    ...(udp === undefined ? {} : { protocol: 'udp' }),
  };
}

function parseSubject(host: string, text: string): RuleText['subject'] {
  if (host === '*') return { kind: 'any' };
  // A pattern would match nothing, and its author would not notice.
  if (/[*?/!]/.test(host)) {
    throw new FormatError(
      `"${host}" is not a host: use a name, an address, * for any host, or a class of addresses; deny in front denies it`,
    );
  }
  return { kind: 'host', host: parseHost(host, text) };
}

function parseClass(text: string): AddressClass {
  const name = ADDRESS_CLASSES.find((one) => one === text);
  if (name === undefined) {
    throw new FormatError(`"${text}" is not a class of addresses: use ${ADDRESS_CLASSES.join(', ')}`);
  }
  return name;
}

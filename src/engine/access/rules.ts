/**
 * Rules about which targets may be reached. A rule that allows a host compares its spelling, not its address: one for `localhost` does
 * not allow `127.0.0.1`. A rule about a class, and each rule that denies, is about the address that is connected to, however the
 * target was written. What one rule denies no other allows. A rule allows TCP or UDP, never both; a denial without `udp:` is about both.
 * A Unix socket is allowed by its path alone.
 */
import { type AddressClass, arrivalsOf, isOfClass } from '../../base/address-class.js';
import { canonicalHost, literalAddress, type Target, unixPathOf } from '../../tunnel/wire/target.js';

export interface Rule {
  readonly effect: 'allow' | 'deny';
  /** `host` is canonical; where it is denied it is an address without a zone. */
  readonly subject:
    | { readonly kind: 'any' }
    | { readonly kind: 'host'; readonly host: string }
    | { readonly kind: 'class'; readonly name: AddressClass }
    | { readonly kind: 'unix'; readonly path: string }
    /** Matches nothing until `withServices` replaces it. */
    | { readonly kind: 'service'; readonly name: string };
  /** 0 means any. */
  readonly port: number;
  /** Undefined: it allows TCP alone, or denies both. */
  readonly protocol?: 'udp';
  /** The target asks for a header of the PROXY protocol; then `host` is an address. */
  readonly hasProxyHeader?: true;
  /** Its line in the file, from 1; names the rule that decides. */
  readonly line: number;
  /** The service that it stands for. */
  readonly service?: string;
}

/** Replaces the names of services by their targets; a service that does not exist matches nothing. */
export function withServices(rules: readonly Rule[], services: ReadonlyMap<string, Target>): Rule[] {
  return rules.flatMap((rule) => {
    if (rule.subject.kind !== 'service') return [rule];
    const { name } = rule.subject;
    const target = services.get(name);
    return target === undefined ? [] : [{ ...ruleOfService(name, target), line: rule.line }];
  });
}

export function ruleOfService(name: string, target: Target): Rule {
  const common = { effect: 'allow', port: target.port, line: 0, service: name } as const;
  const path = unixPathOf(target);
  if (path !== undefined) return { ...common, subject: { kind: 'unix', path } };
  const subject = { kind: 'host', host: canonicalHost(target.host) } as const;
  return target.protocol === undefined ? { ...common, subject } : { ...common, subject, protocol: target.protocol };
}

export type Decision =
  | { readonly kind: 'allowed'; readonly rule: Rule }
  | { readonly kind: 'denied'; readonly rule: Rule }
  /** No rule allows it, or there are no rules. */
  | { readonly kind: 'unmatched' }
  /** It depends on the address of the name. */
  | { readonly kind: 'open' };

/** @param known literal address of the target; undefined while its name is not resolved */
export function decide(rules: readonly Rule[], target: Target, known?: string): Decision {
  const path = unixPathOf(target);
  if (path !== undefined) return decideUnix(rules, path);
  const host = canonicalHost(target.host);
  const address = literalAddress(known ?? target.host);
  const ofPort = rules.filter(
    (rule) => (rule.port === 0 || rule.port === target.port) && isAboutProtocol(rule, target.protocol),
  );
  const matching = ofPort.filter((rule) => matches(rule, host, address));
  const denied = matching.find(({ effect }) => effect === 'deny');
  if (denied !== undefined) return { kind: 'denied', rule: denied };
  const allowed = matching.find(({ effect }) => effect === 'allow');
  if (address !== undefined) return allowed === undefined ? { kind: 'unmatched' } : { kind: 'allowed', rule: allowed };
  const waiting = ofPort.filter(isAboutAddress);
  if (allowed !== undefined && !waiting.some(({ effect }) => effect === 'deny')) {
    return { kind: 'allowed', rule: allowed };
  }
  const mayAllow = allowed !== undefined || waiting.some(({ effect }) => effect === 'allow');
  return { kind: mayAllow ? 'open' : 'unmatched' };
}

function decideUnix(rules: readonly Rule[], path: string): Decision {
  const allowed = rules.find(({ subject }) => subject.kind === 'unix' && subject.path === path);
  return allowed === undefined ? { kind: 'unmatched' } : { kind: 'allowed', rule: allowed };
}

const isAboutProtocol = (rule: Rule, protocol: Target['protocol']): boolean =>
  rule.protocol === protocol || (rule.effect === 'deny' && rule.protocol === undefined);

/** Whether the target that is connected to asks for a header, however it was written. @param address of the connection; undefined for a Unix socket */
export function asksForHeader({ subject, port, hasProxyHeader }: Rule, target: Target, address?: string): boolean {
  if (hasProxyHeader !== true) return false;
  if (subject.kind === 'unix') return unixPathOf(target) === subject.path;
  if (subject.kind !== 'host' || port !== target.port || target.protocol !== undefined) return false;
  return address !== undefined && arrivalsOf(literalAddress(address) ?? address).includes(subject.host);
}

export function describeRule({ hasProxyHeader, ...rule }: Rule): string {
  return `${describePlain(rule)}${hasProxyHeader === true ? ' proxy' : ''}`;
}

function describePlain({ effect, subject, port, protocol }: Rule): string {
  if (subject.kind === 'service') return subject.name;
  if (subject.kind === 'unix') return subject.path;
  return `${effect === 'deny' ? 'deny ' : ''}${protocol === undefined ? '' : 'udp:'}${describeSubject(subject)}:${port}`;
}

function describeSubject(subject: Exclude<Rule['subject'], { kind: 'service' | 'unix' }>): string {
  switch (subject.kind) {
    case 'any':
      return '*';
    case 'class':
      return `class:${subject.name}`;
    case 'host':
      return subject.host.includes(':') ? `[${subject.host}]` : subject.host;
  }
}

function matches({ effect, subject }: Rule, host: string, address: string | undefined): boolean {
  switch (subject.kind) {
    case 'any':
      return true;
    case 'service':
    case 'unix':
      return false;
    case 'class':
      return address !== undefined && isOfClass(address, subject.name);
    case 'host':
      if (effect === 'allow') return subject.host === host;
      return address !== undefined && arrivalsOf(address).includes(subject.host);
  }
}

const isAboutAddress = ({ effect, subject }: Rule): boolean =>
  subject.kind === 'class' || (subject.kind === 'host' && effect === 'deny');

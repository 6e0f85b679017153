/**
 * Decides which targets the clients of a daemon may reach, by the owner's services and rules and the allow list of the client. It
 * answers the requests of clients and the owner's `rules check`; each answer names the line that decides.
 */
import { CodedError, messageOf } from '../../base/coded-error.js';
import { targetText } from '../../base/endpoint.js';
import { isSpeedTest } from '../../base/speed-test.js';
import type { TunnelInfo } from '../../tunnel/link/tunnel-list.js';
import type { SourceOf } from '../../tunnel/server/client-source.js';
import type { MayReach, Reached } from '../../tunnel/server/request-handler.js';
import { type Service, serviceOf, type Target, unixPathOf } from '../../tunnel/wire/target.js';
import type { ClientAddresses } from '../access/client-addresses.js';
import {
  asksForHeader,
  type Decision,
  decide,
  describeRule,
  type Rule,
  ruleOfService,
  withServices,
} from '../access/rules.js';
import type { Services } from '../access/services.js';
import { loadRules } from '../access/target-rules.js';
import type { WhitelistEntry } from '../access/whitelist.js';
import type { TargetAddresses } from './target-addresses.js';

export interface Explanation {
  /** True also while it is open. */
  readonly isAllowed: boolean;
  /** Whether it depends on the address, which is not known. */
  readonly isOpen: boolean;
  /** The lines that decide, in words. */
  readonly decidedBy: string;
}

/** A target, and what is known of the connection to it. */
export type AddressedTarget = Target & Reached;

/** The target of an open tunnel. */
export const reachedBy = ({ target, remoteAddress, destination }: TunnelInfo): AddressedTarget => {
  return { ...target, address: remoteAddress, destination };
};

type Rules =
  /** There is no file. */
  | { readonly kind: 'none' }
  | { readonly kind: 'file'; readonly path: string; readonly rules: readonly Rule[] }
  /** The file cannot be loaded: nothing may be reached. */
  | { readonly kind: 'bad'; readonly path: string; readonly message: string };

interface Deps {
  /** Returns the client's entry on the whitelist, by its key in hex. */
  readonly entryOf: (peerId: string) => Entry | undefined;
  readonly addressesOf: TargetAddresses;
  readonly services: Pick<Services, 'targets' | 'withHeader' | 'error'>;
  readonly addresses: Pick<ClientAddresses, 'of' | 'known' | 'ownerOf' | 'error'>;
}

export interface TargetSettings {
  /** Undefined: there is no file. */
  readonly rulesFile: string | undefined;
  /** Whether every target may be reached although there are services; without effect if there is a rules file. */
  readonly isAny: boolean;
  /** Whether admitted clients may measure the speed of their connection. */
  readonly mayTestSpeed: boolean;
  /** Whether targets on loopback are connected to from an address of the client. */
  readonly hasClientSources: boolean;
}

type Entry = Pick<WhitelistEntry, 'alias' | 'publicKey' | 'allow'>;

export class TargetPolicy {
  readonly #deps: Deps;
  #rules: Rules;
  #settings: TargetSettings;

  constructor(deps: Deps, settings: TargetSettings) {
    this.#deps = deps;
    this.#rules = load(settings.rulesFile);
    this.#settings = settings;
  }

  /** Reloads the rules. @throws CodedError when they cannot be used; the previous rules stay in force */
  reload(settings: TargetSettings): void {
    const rules = load(settings.rulesFile);
    if (rules.kind === 'bad') throw new RulesUnusableError('bad-rules', rules.message);
    this.#rules = rules;
    this.#settings = settings;
  }

  /** From where the targets of a client are connected to. */
  readonly sourceOf: SourceOf = (peerId) =>
    this.#settings.hasClientSources ? this.#deps.addresses.of(peerId) : undefined;

  /** The address by which programs of this machine know a client, if it has one. */
  addressOf(peerId: string): string | undefined {
    const source = this.sourceOf(peerId);
    return source !== undefined && 'address' in source ? source.address : this.#deps.addresses.known(peerId);
  }

  /** The key in hex of the client that has this address. */
  clientAt(address: string): string | undefined {
    return this.#deps.addresses.ownerOf(address);
  }

  /** Why clients have no addresses although some need them; undefined while all is well. */
  get addressError(): string | undefined {
    const { addresses, services } = this.#deps;
    const isNeeded =
      this.#settings.hasClientSources ||
      [...this.#lines, ...services.withHeader].some(({ hasProxyHeader }) => hasProxyHeader);
    return isNeeded ? addresses.error : undefined;
  }

  get file(): string | undefined {
    return this.#rules.kind === 'none' ? undefined : this.#rules.path;
  }

  /** Whether every host and port may be reached: there is neither a rules file nor a service, or the owner chose that. */
  get isAny(): boolean {
    return this.isAnyWith(this.#deps.services.targets);
  }

  isAnyWith(services: ReadonlyMap<string, Target>): boolean {
    return (
      this.#rules.kind === 'none' &&
      (this.#settings.isAny || (services.size === 0 && this.#deps.services.error === undefined))
    );
  }

  /** The services that a client may reach. */
  servicesFor(peerId: string): readonly Service[] {
    const { targets } = this.#deps.services;
    const all = [...targets].map(([name, target]) => ({ name, target }));
    const allowed = all.filter(
      ({ name, target: { protocol } }) => this.explain(peerId, { host: name, port: 0, protocol }).isAllowed,
    );
    return allowed.map(({ name, target }) => serviceNamed(name, target));
  }

  get rules(): { readonly line: number; readonly text: string }[] {
    return this.#lines.map((rule) => ({ line: rule.line, text: describeRule(rule) }));
  }

  /** Why the rules cannot be used; nothing may be reached then. */
  get error(): string | undefined {
    return this.#rules.kind === 'bad' ? this.#rules.message : undefined;
  }

  readonly mayReach: MayReach = (peerId, target, reached) => {
    const { isAllowed, decidedBy } = this.explain(peerId, { ...target, ...reached });
    if (!isAllowed) return { allowed: false, reason: decidedBy };
    const service = serviceOf(target);
    const destination = service === undefined ? undefined : this.#deps.services.targets.get(service);
    const allowed = { allowed: true, ...(destination === undefined ? {} : { target: destination }) } as const;
    if (!this.#asksForHeader(destination ?? target, reached?.address)) return allowed;
    const source = this.#deps.addresses.of(peerId);
    if ('error' in source) return { allowed: false, reason: source.error };
    return { ...allowed, clientAddress: source.address };
  };

  /** Those of the file. */
  get #lines(): readonly Rule[] {
    return this.#rules.kind === 'file' ? this.#rules.rules : [];
  }

  /** @param address of the connection; undefined before it begins, and for a Unix socket */
  #asksForHeader(target: Target, address: string | undefined): boolean {
    return [...this.#lines, ...this.#deps.services.withHeader].some((rule) => asksForHeader(rule, target, address));
  }

  /** @param entry replaces the client's own entry @param services replace those that there are */
  explain(
    peerId: string,
    requested: AddressedTarget,
    entry = this.#deps.entryOf(peerId),
    services = this.#deps.services.targets,
  ): Explanation {
    if (isSpeedTest(requested)) {
      const { mayTestSpeed } = this.#settings;
      const decidedBy = `a speed test reaches no target, and targets.speed_test is ${mayTestSpeed}`;
      return { isAllowed: mayTestSpeed, isOpen: false, decidedBy };
    }
    const isNamed = requested.port === 0 && unixPathOf(requested) === undefined;
    const named = isNamed ? services.get(serviceOf(requested) ?? '') : requested;
    if (named === undefined) return denied(`there is no service "${requested.host}"`);
    if (named.protocol !== requested.protocol) {
      const what = named.protocol === 'udp' ? 'only UDP' : 'no UDP';
      return denied(`the service "${requested.host}" is ${targetText(named)}: ${what}`);
    }
    const { destination } = requested;
    // The name of a service allows what it stands for now; a connection under that name may lead to what it stood for before.
    if (destination !== undefined && targetText(destination) !== targetText(named)) {
      return denied(
        `the service "${requested.host}" is ${targetText(named)} now, no longer ${targetText(destination)}`,
      );
    }
    const target = { ...named, address: requested.address };
    const byRules = this.#explainRules(target, services);
    // Where there are no rules, the owner's list of this client is all that can name a Unix socket.
    if (!byRules.isAllowed && entry !== undefined && this.isAnyWith(services) && unixPathOf(target) !== undefined) {
      return explainAllowList(entry, target, services);
    }
    if (!byRules.isAllowed || entry === undefined || entry.allow.length === 0) return byRules;
    const byList = explainAllowList(entry, target, services);
    if (!byList.isAllowed) return byList;
    const decidedBy = `${byRules.decidedBy}; and ${byList.decidedBy}`;
    return { isAllowed: true, isOpen: byRules.isOpen || byList.isOpen, decidedBy };
  }

  #explainRules(target: AddressedTarget, services: ReadonlyMap<string, Target>): Explanation {
    const rules = this.#rules;
    if (rules.kind === 'bad') return denied(`the rules cannot be used: ${rules.message}`);
    if (this.isAnyWith(services) && unixPathOf(target) === undefined) {
      const why = services.size === 0 ? 'there are neither rules nor services' : 'targets.any is set';
      return { isAllowed: true, isOpen: false, decidedBy: `${why}, so every target is allowed` };
    }
    const path = rules.kind === 'file' ? rules.path : '';
    const decision = decide([...this.#lines, ...rulesOf(services)], target, target.address);
    return explain(decision, target, {
      by: (rule) =>
        rule.service === undefined ? `line ${rule.line} of ${path}: ${describeRule(rule)}` : serviceText(rule),
      without: rules.kind === 'file' ? `no line of ${path} allows it, and it is no service` : withoutRules(target),
    });
  }

  /** Looks a name up where its address decides; it is allowed when one of its addresses is. */
  async explainByAddress(peerId: string, target: Target): Promise<Explanation> {
    const unresolved = this.explain(peerId, target);
    if (!unresolved.isOpen) return unresolved;
    const { host } = this.#deps.services.targets.get(serviceOf(target) ?? '') ?? target;
    const explanations = (await this.#deps.addressesOf(host)).map((address) => {
      const explanation = this.explain(peerId, { ...target, address });
      return { ...explanation, decidedBy: `${host} is ${address}: ${explanation.decidedBy}` };
    });
    return explanations.find(({ isAllowed }) => isAllowed) ?? explanations[0] ?? unresolved;
  }
}

const denied = (decidedBy: string): Explanation => ({ isAllowed: false, isOpen: false, decidedBy });

function serviceNamed(name: string, target: Target): Service {
  const protocol = unixPathOf(target) === undefined ? target.protocol : 'unix';
  return { name, port: target.port, ...(protocol === undefined ? {} : { protocol }) };
}

const withoutRules = (target: Target): string =>
  unixPathOf(target) === undefined
    ? 'it is no service'
    : 'it is no service, and a Unix socket needs a line with its path, in the rules file or on the allow list of the client';

/** By the map of the services: each client is asked about each service after each change of access. */
const knownRules = new WeakMap<ReadonlyMap<string, Target>, readonly Rule[]>();

function rulesOf(services: ReadonlyMap<string, Target>): readonly Rule[] {
  let rules = knownRules.get(services);
  if (rules === undefined) {
    rules = [...services].map(([name, target]) => ruleOfService(name, target));
    knownRules.set(services, rules);
  }
  return rules;
}

/** The message names the file, and the line where there is one. */
export class RulesUnusableError extends CodedError<'bad-rules'> {}

const serviceText = (rule: Rule): string => `the service ${rule.service} (${describeRule(rule)})`;

function explainAllowList(
  { alias, publicKey, allow }: Entry,
  target: AddressedTarget,
  services: ReadonlyMap<string, Target>,
): Explanation {
  const name = alias ?? publicKey.short;
  const lines = allow.map(({ rule }, index) => ({ ...rule, line: index + 1 }));
  return explain(decide(withServices(lines, services), target, target.address), target, {
    by: ({ line }) => `${allow[line - 1]?.text} on the allow list of ${name}`,
    without:
      allow.length === 0
        ? withoutRules(target)
        : `the allow list of ${name} has only ${allow.map(({ text }) => text).join(', ')}`,
  });
}

function explain(
  decision: Decision,
  { host }: Target,
  texts: { readonly by: (rule: Rule) => string; readonly without: string },
): Explanation {
  switch (decision.kind) {
    case 'allowed':
      return { isAllowed: true, isOpen: false, decidedBy: texts.by(decision.rule) };
    case 'denied':
      return denied(texts.by(decision.rule));
    case 'unmatched':
      return denied(texts.without);
    case 'open':
      return { isAllowed: true, isOpen: true, decidedBy: `it depends on the address of ${host}, which is not known` };
  }
}

function load(file: string | undefined): Rules {
  if (file === undefined) return { kind: 'none' };
  try {
    return { kind: 'file', path: file, rules: loadRules(file) };
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    return { kind: 'bad', path: file, message: messageOf(error) };
  }
}

/**
 * Decides which targets the clients of a daemon may reach, by the owner's rules and the allow list of the client. It answers the
 * requests of clients and the owner's `rules check`; each answer names the line that decides.
 */
import { CodedError, messageOf } from '../../base/coded-error.js';
import type { MayReach } from '../../tunnel/server/request-handler.js';
import type { Target } from '../../tunnel/wire/target.js';
import { type Decision, decide, describeRule, type Rule } from '../access/rules.js';
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

/** A target with the literal address of its name, where that is known. */
export type AddressedTarget = Target & { readonly address?: string | undefined };

type Rules =
  | { readonly kind: 'any' }
  | { readonly kind: 'file'; readonly path: string; readonly rules: readonly Rule[] }
  /** The file cannot be loaded: nothing may be reached. */
  | { readonly kind: 'bad'; readonly path: string; readonly message: string };

interface Deps {
  /** Returns the client's entry on the whitelist, by its key in hex. */
  readonly entryOf: (peerId: string) => Entry | undefined;
  readonly addressesOf: TargetAddresses;
}

type Entry = Pick<WhitelistEntry, 'alias' | 'publicKey' | 'allow'>;

export class TargetPolicy {
  readonly #deps: Deps;
  #rules: Rules;

  /** @param file undefined: there are no rules, and every target may be reached */
  constructor(deps: Deps, file: string | undefined) {
    this.#deps = deps;
    this.#rules = load(file);
  }

  /** Reloads the rules. @throws CodedError when they cannot be used; the previous rules stay in force */
  reload(file: string | undefined): void {
    const rules = load(file);
    if (rules.kind === 'bad') throw new RulesUnusableError('bad-rules', rules.message);
    this.#rules = rules;
  }

  get file(): string | undefined {
    return this.#rules.kind === 'any' ? undefined : this.#rules.path;
  }

  get rules(): { readonly line: number; readonly text: string }[] {
    const rules = this.#rules.kind === 'file' ? this.#rules.rules : [];
    return rules.map((rule) => ({ line: rule.line, text: describeRule(rule) }));
  }

  /** Why the rules cannot be used; nothing may be reached then. */
  get error(): string | undefined {
    return this.#rules.kind === 'bad' ? this.#rules.message : undefined;
  }

  readonly mayReach: MayReach = (peerId, target, address) => {
    const { isAllowed, decidedBy } = this.explain(peerId, { ...target, address });
    return isAllowed ? { allowed: true } : { allowed: false, reason: decidedBy };
  };

  /** @param entry replaces the client's own entry */
  explain(peerId: string, target: AddressedTarget, entry = this.#deps.entryOf(peerId)): Explanation {
    const byRules = explainRules(this.#rules, target);
    if (!byRules.isAllowed || entry === undefined || entry.allow.length === 0) return byRules;
    const byList = explainAllowList(entry, target);
    if (!byList.isAllowed) return byList;
    const decidedBy = `${byRules.decidedBy}; and ${byList.decidedBy}`;
    return { isAllowed: true, isOpen: byRules.isOpen || byList.isOpen, decidedBy };
  }

  /** Looks a name up where its address decides; it is allowed when one of its addresses is. */
  async explainByAddress(peerId: string, target: Target): Promise<Explanation> {
    const unresolved = this.explain(peerId, target);
    if (!unresolved.isOpen) return unresolved;
    const explanations = (await this.#deps.addressesOf(target.host)).map((address) => {
      const explanation = this.explain(peerId, { ...target, address });
      return { ...explanation, decidedBy: `${target.host} is ${address}: ${explanation.decidedBy}` };
    });
    return explanations.find(({ isAllowed }) => isAllowed) ?? explanations[0] ?? unresolved;
  }
}

/** The message names the file, and the line where there is one. */
export class RulesUnusableError extends CodedError<'bad-rules'> {}

function explainRules(rules: Rules, target: AddressedTarget): Explanation {
  switch (rules.kind) {
    case 'any':
      return { isAllowed: true, isOpen: false, decidedBy: 'there is no rules file, so every target is allowed' };
    case 'bad':
      return { isAllowed: false, isOpen: false, decidedBy: `the rules cannot be used: ${rules.message}` };
    case 'file': {
      const { path } = rules;
      return explain(decide(rules.rules, target, target.address), target, {
        by: (rule) => `line ${rule.line} of ${path}: ${describeRule(rule)}`,
        without: `no line of ${path} allows it`,
      });
    }
  }
}

function explainAllowList({ alias, publicKey, allow }: Entry, target: AddressedTarget): Explanation {
  const name = alias ?? publicKey.short;
  const rules = allow.map(({ rule }) => rule);
  return explain(decide(rules, target, target.address), target, {
    by: (rule) => `${allow.find((one) => one.rule === rule)?.text} on the allow list of ${name}`,
    without: `the allow list of ${name} has only ${allow.map(({ text }) => text).join(', ')}`,
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
      return { isAllowed: false, isOpen: false, decidedBy: texts.by(decision.rule) };
    case 'unmatched':
      return { isAllowed: false, isOpen: false, decidedBy: texts.without };
    case 'open':
      return { isAllowed: true, isOpen: true, decidedBy: `it depends on the address of ${host}, which is not known` };
  }
}

function load(file: string | undefined): Rules {
  if (file === undefined) return { kind: 'any' };
  try {
    return { kind: 'file', path: file, rules: loadRules(file) };
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    return { kind: 'bad', path: file, message: messageOf(error) };
  }
}

/**
 * What clients of the daemon may reach: the rules of its owner AND the allow list of the client. One engine answers the
 * requests that come and the owner who asks why (`rules check`); each answer names the line that decides.
 */
import { CodedError, messageOf } from '../base/coded-error.js';
import type { MayReach } from '../tunnel/request-handler.js';
import { decide, type Rule } from '../tunnel/rules.js';
import { describeTarget, type Target } from '../tunnel/target.js';
import type { WhitelistEntry } from './access/whitelist.js';
import { loadRules } from './target-rules.js';

export interface Explanation {
  readonly isAllowed: boolean;
  /** The lines that decide, in words. */
  readonly decidedBy: string;
}

type Rules =
  | { readonly kind: 'any' }
  | { readonly kind: 'file'; readonly path: string; readonly rules: readonly Rule[] }
  /** It cannot be loaded: nothing may be reached. */
  | { readonly kind: 'bad'; readonly path: string; readonly message: string };

interface Deps {
  /** The client's entry of the whitelist, by its key in hex. */
  readonly entryOf: (peerId: string) => Pick<WhitelistEntry, 'alias' | 'publicKey' | 'allow'> | undefined;
}

export class TargetPolicy {
  readonly #deps: Deps;
  #rules: Rules;

  /** @param file undefined: there are no rules, and any target may be reached */
  constructor(deps: Deps, file: string | undefined) {
    this.#deps = deps;
    this.#rules = load(file);
  }

  /** Reads the rules anew. @throws CodedError when they cannot be used; the ones before stay */
  reload(file: string | undefined): void {
    const rules = load(file);
    if (rules.kind === 'bad') throw new RulesUnusableError('bad-rules', rules.message);
    this.#rules = rules;
  }

  get file(): string | undefined {
    return this.#rules.kind === 'any' ? undefined : this.#rules.path;
  }

  get rules(): readonly Rule[] {
    return this.#rules.kind === 'file' ? this.#rules.rules : [];
  }

  /** Why the rules cannot be used; then nothing may be reached. */
  get fault(): string | undefined {
    return this.#rules.kind === 'bad' ? this.#rules.message : undefined;
  }

  readonly mayReach: MayReach = (peerId, target) => {
    const { isAllowed, decidedBy } = this.explain(peerId, target);
    return isAllowed ? { allowed: true } : { allowed: false, reason: decidedBy };
  };

  /** @param entry of the client, instead of the one that it has */
  explain(peerId: string, target: Target, entry = this.#deps.entryOf(peerId)): Explanation {
    const byRules = this.#explainRules(target);
    if (!byRules.isAllowed || entry === undefined || entry.allow.length === 0) return byRules;
    const name = entry.alias ?? entry.publicKey.short;
    const rule = decide(
      entry.allow.map((allowed) => allowed.rule),
      target,
    );
    const allowed = entry.allow.find((one) => one.rule === rule);
    if (allowed === undefined) {
      const list = entry.allow.map(({ text }) => text).join(', ');
      return { isAllowed: false, decidedBy: `the allow list of ${name} has only ${list}` };
    }
    return { isAllowed: true, decidedBy: `${byRules.decidedBy}; and ${allowed.text} on the allow list of ${name}` };
  }

  #explainRules(target: Target): Explanation {
    const rules = this.#rules;
    switch (rules.kind) {
      case 'any':
        return { isAllowed: true, decidedBy: 'there is no rules file, so any target is allowed' };
      case 'bad':
        return { isAllowed: false, decidedBy: `the rules cannot be used: ${rules.message}` };
      case 'file': {
        const rule = decide(rules.rules, target);
        if (rule === undefined) return { isAllowed: false, decidedBy: `no line of ${rules.path} allows it` };
        return { isAllowed: true, decidedBy: `line ${rule.line} of ${rules.path}: ${describeTarget(rule)}` };
      }
    }
  }
}

/** The message names the file, and the line where there is one. */
export class RulesUnusableError extends CodedError<'bad-rules'> {}

function load(file: string | undefined): Rules {
  if (file === undefined) return { kind: 'any' };
  try {
    return { kind: 'file', path: file, rules: loadRules(file) };
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    return { kind: 'bad', path: file, message: messageOf(error) };
  }
}

/**
 * Which targets may be reached: upstream's rules file, one `host:port` a line, `*` any host, `0` any port, `#` comment.
 * Hosts are compared by their spelling, not by what they resolve to: a rule for `localhost` does not allow `127.0.0.1`.
 */
import { CodedError } from '../base/coded-error.js';
import { canonicalHost, parseTarget, type Target } from './target.js';

export interface Rule {
  /** Canonical, or `*`. */
  readonly host: string;
  /** 0 means any. */
  readonly port: number;
  /** Where it stands in the file, from 1; for telling which rule decides. */
  readonly line: number;
}

export class RulesError extends CodedError<'bad-rule'> {
  readonly line: number;

  constructor(line: number, text: string) {
    super('bad-rule', `line ${line}: expected host:port, *:port or host:0, not ${JSON.stringify(text)}`);
    this.line = line;
  }
}

/** @throws RulesError at the first line that is no rule: half a list of rules is no list. */
export function parseRules(text: string): Rule[] {
  const rules: Rule[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const rule = raw.replace(/#.*/, '').trim();
    if (rule === '') continue;
    const target = parseTarget(rule);
    if (target === undefined) throw new RulesError(index + 1, raw.trim());
    rules.push({ host: canonicalHost(target.host), port: target.port, line: index + 1 });
  }
  return rules;
}

/** The first rule that allows the target; undefined means that none does, also when there are no rules. */
export function decide(rules: readonly Rule[], target: Target): Rule | undefined {
  const host = canonicalHost(target.host);
  return rules.find(
    (rule) => (rule.host === '*' || rule.host === host) && (rule.port === 0 || rule.port === target.port),
  );
}

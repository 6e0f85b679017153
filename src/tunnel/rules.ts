/**
 * Which targets may be reached. Hosts are compared by their spelling, not by what they resolve to: a rule for `localhost`
 * does not allow `127.0.0.1`.
 */
import { canonicalHost, type Target } from './target.js';

export interface Rule {
  /** Canonical, or `*` for any. */
  readonly host: string;
  /** 0 means any. */
  readonly port: number;
  /** Where it stands in the file, from 1; for telling which rule decides. */
  readonly line: number;
}

/** The first rule that allows the target; undefined means that none does, also when there are no rules. */
export function decide(rules: readonly Rule[], target: Target): Rule | undefined {
  const host = canonicalHost(target.host);
  return rules.find(
    (rule) => (rule.host === '*' || rule.host === host) && (rule.port === 0 || rule.port === target.port),
  );
}

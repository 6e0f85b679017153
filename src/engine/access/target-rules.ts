/**
 * The rules file of a server: which targets clients may reach. As in upstream, a line has one `host:port`, `*` is any host, `0` any
 * port, and `#` begins a comment; our additions are `class:NAME:port`, `udp:` and `deny` in front of either, the path of a Unix socket,
 * and `proxy` after one target.
 */
import { CodedError } from '../../base/coded-error.js';
import { type ReadOptions, readSmallFile } from '../../base/small-file.js';
import { FormatError } from '../../config/format-error.js';
import { parseRule } from '../../config/rule-text.js';
import type { MayReach, Verdict } from '../../tunnel/server/request-handler.js';
import { NO_ACCESS } from '../../tunnel/server/server-policy.js';
import { canonicalHost, literalAddress, type Target, unixPathOf } from '../../tunnel/wire/target.js';
import { type Decision, decide, describeRule, type Rule } from './rules.js';

/** The message names the file and the line. */
export class RulesFileError extends CodedError<'bad-rules'> {}

/** Some ten thousand rules. */
const MAX_FILE_SIZE = 1024 * 1024;

/** Every host and port: a Unix socket may give more rights than any port, so each needs a rule. */
export const anyTarget: MayReach = (_peerId, target) =>
  unixPathOf(target) === undefined
    ? { allowed: true }
    : { allowed: false, reason: 'a Unix socket is allowed by a line with its path in the rules file (-f)' };
export const noTarget: MayReach = NO_ACCESS.mayReach;

/** @param source what allows the target, for the owner of the server */
export function onlyTarget({ host, port }: Target, source: string): MayReach {
  return onlyBy([{ effect: 'allow', subject: { kind: 'host', host: canonicalHost(host) }, port, line: 1 }], source);
}

/** @throws FileError, RulesFileError */
export function loadRules(path: string, options?: ReadOptions): Rule[] {
  return parseRules(readSmallFile(path, MAX_FILE_SIZE, options).toString(), path);
}

/**
 * @param name of the file, for the error
 * @throws RulesFileError at the first line that is not a rule: half a list of rules is not used
 */
export function parseRules(text: string, name: string): Rule[] {
  return text.split('\n').flatMap((raw, index) => {
    // trim removes a byte order mark too.
    const written = raw.replace(/#.*/, '').trim();
    if (written === '') return [];
    const line = index + 1;
    try {
      const rule = ruleOf(written, line);
      if (rule.subject.kind !== 'service') return [rule];
      // A host without its port would be taken for one.
      throw new FormatError(`"${written}" is not a rule: use host:port; a service of tuntoxd needs no rule`);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      throw new RulesFileError('bad-rules', `${name}, line ${line}: ${error.message}`, { cause: error });
    }
  });
}

/** @param line its place in the file or list, from 1 @throws FormatError */
export function ruleOf(text: string, line: number): Rule {
  const { subject, ...written } = parseRule(text);
  const { effect } = written;
  // Also the name of a service, which `deny` does not take.
  if (subject.kind !== 'host') return { ...written, subject, line };
  const { host } = subject;
  if (written.hasProxyHeader === true) checkAddress(host);
  if (effect === 'deny') {
    if (literalAddress(host) === undefined) {
      throw new FormatError(
        `"${host}" is a name, and a client could ask for its address instead: deny the address, or a class`,
      );
    }
    // A client may name the network interface by its name or its number, or leave it out.
    if (host.includes('%'))
      throw new FormatError(
        `an address is denied on every network interface: remove % and what follows it in "${host}"`,
      );
  }
  return { ...written, subject: { kind: 'host', host: canonicalHost(host) }, line };
}

/**
 * A header is sent by the address that is connected to: a client could ask for the address of a name, or another name, and would get a
 * connection without our header, in which it could send one of its own.
 * @throws FormatError
 */
export function checkAddress(host: string): void {
  if (literalAddress(host) !== undefined && !host.includes('%')) return;
  throw new FormatError(`"${host}" is not an address, which a target with the PROXY protocol needs: write its address`);
}

/** @param path the file, for messages */
export function onlyBy(rules: readonly Rule[], path: string): MayReach {
  return (_peerId, target, reached) => verdictOf(decide(rules, target, reached?.address), path);
}

function verdictOf(decision: Decision, path: string): Verdict {
  switch (decision.kind) {
    case 'allowed':
    case 'open':
      return { allowed: true };
    case 'denied':
      return { allowed: false, reason: `line ${decision.rule.line} of ${path}: ${describeRule(decision.rule)}` };
    case 'unmatched':
      return { allowed: false, reason: `no line of ${path} allows it` };
  }
}

/**
 * The rules file of a server: which targets clients may reach. As upstream has it: one `host:port` a line, `*` any host, `0`
 * any port, `#` begins a comment.
 */
import { CodedError } from '../base/coded-error.js';
import { FormatError } from '../config/format-error.js';
import { parseRule } from '../config/formats.js';
import { readSmallFile } from '../config/small-file.js';
import type { MayReach } from '../tunnel/request-handler.js';
import { decide, type Rule } from '../tunnel/rules.js';
import { canonicalHost } from '../tunnel/target.js';

/** The message names the file and the line. */
export class RulesFileError extends CodedError<'bad-rules'> {}

/** Some ten thousand rules. */
const MAX_FILE_SIZE = 1024 * 1024;

export const anyTarget: MayReach = () => ({ allowed: true });
export const noTarget: MayReach = () => ({ allowed: false, reason: 'nobody may ask a client for tunnels' });

/** @throws FileError, RulesFileError */
export function loadRules(path: string): Rule[] {
  return parseRules(readSmallFile(path, MAX_FILE_SIZE).toString(), path);
}

/**
 * @param name of the file, for the error
 * @throws RulesFileError at the first line that is no rule: half a list of rules is no list
 */
export function parseRules(text: string, name: string): Rule[] {
  return text.split('\n').flatMap((raw, index) => {
    // It takes away a byte order mark too.
    const rule = raw.replace(/#.*/, '').trim();
    if (rule === '') return [];
    const line = index + 1;
    try {
      const { host, port } = parseRule(rule);
      return [{ host: canonicalHost(host), port, line }];
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      throw new RulesFileError('bad-rules', `${name}, line ${line}: ${error.message}`, { cause: error });
    }
  });
}

/** @param path of the file, for the owner of the server */
export function onlyBy(rules: readonly Rule[], path: string): MayReach {
  return (_peerId, target) =>
    decide(rules, target) === undefined
      ? { allowed: false, reason: `no line of ${path} allows it` }
      : { allowed: true };
}

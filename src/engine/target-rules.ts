/** The rules file of a server: which targets clients may reach. */
import { CodedError } from '../base/coded-error.js';
import { readSmallFile } from '../config/small-file.js';
import type { MayReach } from '../tunnel/request-handler.js';
import { decide, parseRules, type Rule, RulesError } from '../tunnel/rules.js';

/** The message names the file and the line. */
export class RulesFileError extends CodedError<'bad-rules'> {}

/** Some ten thousand rules. */
const MAX_FILE_SIZE = 1024 * 1024;

export const anyTarget: MayReach = () => ({ allowed: true });
export const noTarget: MayReach = () => ({ allowed: false, reason: 'nobody may ask a client for tunnels' });

/** @throws FileError, RulesFileError */
export function loadRules(path: string): readonly Rule[] {
  try {
    return parseRules(readSmallFile(path, MAX_FILE_SIZE).toString());
  } catch (error) {
    if (error instanceof RulesError)
      throw new RulesFileError('bad-rules', `${path}, ${error.message}`, { cause: error });
    throw error;
  }
}

/** @param path of the file, for the owner of the server */
export function onlyBy(rules: readonly Rule[], path: string): MayReach {
  return (_peerId, target) =>
    decide(rules, target) === undefined
      ? { allowed: false, reason: `no line of ${path} allows it` }
      : { allowed: true };
}

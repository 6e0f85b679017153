/**
 * What a person gives to the classic command in files. They are read before anything is opened and before signals have listeners, since
 * one may be a pipe, as in `--secret-file <(pass show tuntox)`, and to wait for that takes the whole process.
 */
import type { Logger } from '../../base/logger.js';
import type { RunSettings } from '../../config/classic-settings.js';
import { loadBootstrapNodes } from '../../engine/bootstrap-nodes.js';
import { loadRules } from '../../engine/target-rules.js';
import { readSecret } from './secret.js';

export interface GivenFiles {
  /** Undefined when none was given. */
  readonly secret: Buffer | undefined;
  /** Undefined without a file of rules. */
  readonly rules: ReturnType<typeof loadRules> | undefined;
}

/**
 * @returns also the settings with the nodes of their file in its place
 * @throws UsageError, FileError, SecretFileError, RulesFileError, BootstrapNodesError
 */
export function readGivenFiles<Settings extends RunSettings>(
  settings: Settings,
  log: Logger,
): { readonly given: GivenFiles; readonly settings: Settings } {
  const secret = readSecret(settings.secret, log);
  const rulesFile = settings.mode === 'server' ? settings.rulesFile : undefined;
  const rules = rulesFile === undefined ? undefined : loadRules(rulesFile, { mayWait: true });
  return { given: { secret, rules }, settings: { ...settings, ...nodesOf(settings) } };
}

function nodesOf({ nodesFile, nodes = [] }: RunSettings): Partial<Pick<RunSettings, 'nodesFile' | 'nodes'>> {
  if (nodesFile === undefined) return {};
  return { nodesFile: undefined, nodes: [...loadBootstrapNodes(nodesFile, { mayWait: true }), ...nodes] };
}

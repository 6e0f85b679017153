/**
 * The secret, and the files that the command line names. They are read before anything is opened and before signals have listeners: a
 * file may be a pipe, as in `--secret-file <(pass show tuntox)`, and reading that blocks the process.
 */
import type { Logger } from '../../base/logger.js';
import type { RunSettings, SecretSource } from '../../config/classic-settings.js';
import { errorOfSecret, readSecretFile } from '../../config/secret-file.js';
import { loadRules, RulesFileError } from '../../engine/access/target-rules.js';
import { loadBootstrapNodes } from '../../engine/network/bootstrap-nodes.js';
import { withProxyUsers } from './proxy-users.js';
import { UsageError } from './usage-error.js';

export interface GivenFiles {
  /** Undefined without a secret. */
  readonly secret: Buffer | undefined;
  /** Undefined without a rules file. */
  readonly rules: ReturnType<typeof loadRules> | undefined;
}

/**
 * @returns the files, and the settings with the nodes and users in place of their files
 * @throws UsageError, FileError, SecretFileError, RulesFileError, BootstrapNodesError
 */
export function readGivenFiles<Settings extends RunSettings>(
  settings: Settings,
  log: Logger,
): { readonly given: GivenFiles; readonly settings: Settings } {
  const secret = readSecret(settings.secret, log);
  const rulesFile = settings.mode === 'server' ? settings.rulesFile : undefined;
  const rules = rulesFile === undefined ? undefined : loadRules(rulesFile, { mayWait: true });
  const withHeader = rules?.find(({ hasProxyHeader }) => hasProxyHeader === true);
  if (withHeader !== undefined) {
    const why = 'proxy needs tuntoxd, which gives each client an address: remove the word';
    throw new RulesFileError('bad-rules', `${rulesFile}, line ${withHeader.line}: ${why}`);
  }
  return { given: { secret, rules }, settings: { ...withProxyUsers(settings, log), ...nodesOf(settings) } };
}

function nodesOf({ nodesFile, nodes = [] }: RunSettings): Partial<Pick<RunSettings, 'nodesFile' | 'nodes'>> {
  if (nodesFile === undefined) return {};
  return { nodesFile: undefined, nodes: [...loadBootstrapNodes(nodesFile, { mayWait: true }), ...nodes] };
}

/**
 * Reads the shared secret. Errors do not show it.
 * @returns undefined when no secret was given
 * @throws UsageError, or FileError and SecretFileError when it comes from a file
 */
export function readSecret(source: SecretSource, log: Logger): Buffer | undefined {
  switch (source.from) {
    case 'nowhere':
      return undefined;
    case 'flag':
      log.warn('other users can see the secret of -s in the process list: use --secret-file or TUNTOX_SHARED_SECRET');
      return secretOf(source.text, (error) => `the secret of -s ${error}`);
    case 'link':
      return secretOf(source.text, (error) => `the secret of this link ${error}: copy the link again`);
    case 'host':
      return secretOf(source.text, (error) => `the stored secret of this host ${error}: forget it and join again`);
    case 'environment':
      return secretOf(
        source.text,
        (error) => `the secret in TUNTOX_SHARED_SECRET ${error}; to use no secret, unset the variable`,
      );
    case 'file':
      return readSecretFile(source.path, log, { mayWait: true });
  }
}

function secretOf(text: string, message: (error: string) => string): Buffer {
  const secret = Buffer.from(text);
  const error = errorOfSecret(secret);
  if (error !== undefined) throw new UsageError(message(error));
  return secret;
}

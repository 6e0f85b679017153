/** Checks the files that settings name. */
import { CodedError } from '../base/coded-error.js';
import { silentLogger } from '../base/logger.js';
import { readSecretFile } from '../config/secret-file.js';
import { loadRules } from '../engine/access/target-rules.js';
import { loadBootstrapNodes } from '../engine/network/bootstrap-nodes.js';

interface Settings {
  readonly access: { readonly secretFile: string | undefined };
  readonly targets: { readonly rulesFile: string | undefined };
  readonly network: { readonly nodesFile: string | undefined };
}

/** Returns the errors of the files that a reload reads too. */
export function reloadableFileErrors({ access, targets }: Settings): string[] {
  return [
    ...errorOf('access.secret_file', access.secretFile, (path) => readSecretFile(path, silentLogger)),
    ...errorOf('targets.rules_file', targets.rulesFile, loadRules),
  ];
}

/** Returns the errors of all files. */
export function namedFileErrors(settings: Settings): string[] {
  return [
    ...reloadableFileErrors(settings),
    ...errorOf('network.nodes_file', settings.network.nodesFile, loadBootstrapNodes),
  ];
}

function errorOf(key: string, path: string | undefined, use: (path: string) => unknown): string[] {
  try {
    if (path !== undefined) use(path);
    return [];
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    return [`${key}: ${error.message}`];
  }
}

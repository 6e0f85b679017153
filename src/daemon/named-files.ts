/** The files that settings name: whether they can be used, for who asks before it matters. */
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

/** What is wrong with those that a reload reads too. */
export function faultsOfReadAnew({ access, targets }: Settings): string[] {
  return [
    ...faultOf('access.secret_file', access.secretFile, (path) => readSecretFile(path, silentLogger)),
    ...faultOf('targets.rules_file', targets.rulesFile, loadRules),
  ];
}

/** What is wrong with any of them. */
export function faultsOfNamedFiles(settings: Settings): string[] {
  return [
    ...faultsOfReadAnew(settings),
    ...faultOf('network.nodes_file', settings.network.nodesFile, loadBootstrapNodes),
  ];
}

function faultOf(key: string, path: string | undefined, use: (path: string) => unknown): string[] {
  try {
    if (path !== undefined) use(path);
    return [];
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    return [`${key}: ${error.message}`];
  }
}

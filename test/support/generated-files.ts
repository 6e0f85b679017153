/** The manual pages and completions that are made from the tables of commands and options. */
import { COMMANDS } from '../../src/cli/ctl/commands.js';
import { clauseOf } from '../../src/cli/tuntox/help.js';
import { OPTIONS, type TuntoxOption } from '../../src/cli/tuntox/options.js';
import { type CompletedOption, completionScript, SHELLS } from './completion-scripts.js';
import { controlManual } from './control-manual.js';
import { tuntoxManual } from './tuntox-manual.js';

/** Returns their contents by their paths. */
export function generatedFiles(): ReadonlyMap<string, string> {
  const tuntox = OPTIONS.map((option: TuntoxOption): CompletedOption => ({ ...option, about: clauseOf(option) }));
  return new Map([
    ['man/tuntoxctl.1', controlManual(COMMANDS)],
    ['man/tuntox.1', tuntoxManual()],
    ...SHELLS.map(
      (shell) => [`completions/tuntox.${shell}`, completionScript(shell, 'tuntox', tuntox)] as [string, string],
    ),
  ]);
}

/** The manual pages and completions that are made from the tables of commands and options. */
import { COMMANDS } from '../../src/cli/ctl/commands.js';
import { COMMANDS as TUNTOX_COMMANDS, type TuntoxCommand } from '../../src/cli/tuntox/commands.js';
import { clauseOf } from '../../src/cli/tuntox/help.js';
import { OPTIONS, type TuntoxOption } from '../../src/cli/tuntox/options.js';
import { DAEMON_OPTIONS, SETTING_OPTIONS } from '../../src/config/daemon-flags.js';
import { type CompletedOption, completionScript, SHELLS } from './completion-scripts.js';
import { controlManual } from './control-manual.js';
import { daemonManual } from './daemon-manual.js';
import { tuntoxManual } from './tuntox-manual.js';

/** Returns their contents by their paths. */
export function generatedFiles(): ReadonlyMap<string, string> {
  const tuntox = OPTIONS.map((option: TuntoxOption): CompletedOption => ({ ...option, about: clauseOf(option) }));
  const settings = SETTING_OPTIONS.map(
    ({ setting, ...option }): CompletedOption => ({
      ...option,
      about: setting.doc.replace(/\.$/, ''),
      isRepeatable: setting.kind === 'list',
      ...(setting.kind === 'yes-or-no' ? { completes: ['true', 'false'] } : {}),
      ...(/_(file|dir)$/.test(setting.key) ? { completes: setting.key.endsWith('dir') ? 'directory' : 'file' } : {}),
      ...(setting.key === 'user' ? { completes: 'user' } : {}),
    }),
  );
  const tuntoxd = [...DAEMON_OPTIONS, ...settings];
  const words = {
    commands: ['help', ...TUNTOX_COMMANDS.map(({ name }) => name)],
    withArguments: TUNTOX_COMMANDS.flatMap(({ name, completes }: TuntoxCommand) =>
      completes === undefined ? [] : [{ name, completes }],
    ),
  };
  return new Map([
    ['man/tuntoxctl.1', controlManual(COMMANDS)],
    ['man/tuntox.1', tuntoxManual()],
    ['man/tuntoxd.8', daemonManual()],
    ...SHELLS.flatMap((shell): [string, string][] => [
      [`completions/tuntox.${shell}`, completionScript(shell, 'tuntox', tuntox, words)],
      [`completions/tuntoxd.${shell}`, completionScript(shell, 'tuntoxd', tuntoxd)],
    ]),
  ]);
}

/** `tuntoxctl config`: the settings of the daemon. */
import type { Output } from '../../output.js';
import { type Command, show, withConfirmation, YES } from '../command.js';
import { ExitStatus } from '../ctl-error.js';

export const CONFIG_COMMANDS: readonly Command[] = [
  {
    path: ['config', 'check'],
    about: 'check the configuration file without applying it',
    more: 'Exits with 1 if the file has errors. When the daemon is not running, use tuntoxd --check.',
    examples: ['', '--json'],
    run: async (context) => {
      const checked = await context.session.call('config.check', {});
      show(context, checked, ({ file, valid, errors }, out) => {
        for (const error of errors) out.line(error, { style: 'warning', indent: 2 });
        if (valid)
          out.line(file === null ? 'no configuration file: all settings have their defaults' : `${file} is valid`);
      });
      return checked.valid ? ExitStatus.Ok : ExitStatus.Failed;
    },
  },
  {
    path: ['config', 'show'],
    about: 'show each setting and where it comes from',
    examples: ['', '--json'],
    run: async (context) => {
      const configuration = await context.session.call('config.show', {});
      show(context, configuration, ({ file, settings }, out) => {
        out.line(file === null ? 'no configuration file' : `file ${file}`, { indent: 2 });
        out.table(
          [{ heading: 'SETTING' }, { heading: 'VALUE', narrowest: 16 }, { heading: 'FROM' }],
          settings.map(({ key, value, source }) => [key, valueText(value), source]),
        );
      });
    },
  },
  {
    path: ['config', 'reload'],
    isWrite: true,
    about: 'reload the configuration file',
    more: 'A file with errors changes nothing. Settings that need a restart are listed. If the new settings would disconnect clients, it asks first; all other tunnels stay open.',
    options: [YES],
    examples: ['', '--dry-run'],
    run: async (context) => {
      const { dryRun } = context.given;
      const reloaded = await withConfirmation(context, (confirmed) =>
        context.session.call('config.reload', { confirmed, dryRun }),
      );
      show(context, reloaded, ({ changed, needsRestart, notes }, out) => {
        const would = dryRun ? 'would change' : 'changed';
        if (changed.length + needsRestart.length === 0) out.line('no changes');
        printKeys(out, would, changed);
        printKeys(out, 'changed, but needs a restart', needsRestart);
        for (const note of notes) out.line(note, { indent: 2 });
      });
    },
  },
];

function printKeys(out: Output, verb: string, keys: readonly string[]): void {
  if (keys.length > 0) out.line(`${verb}: ${keys.join(', ')}`, { indent: 2 });
}

function valueText(value: unknown): string {
  if (value === null || value === '') return '-';
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(valueText).join(' ');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

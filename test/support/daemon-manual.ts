/** man/tuntoxd.8, whose options are made from the tables of options and settings, as the help is. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DAEMON_OPTIONS, SETTING_OPTIONS } from '../../src/config/daemon-flags.js';
import { optionList } from './mdoc.js';
import { ROOT } from './processes.js';

const BEGIN = 'The options are:\n';
const END = '.Pp\nEvery setting of\n';

/** Returns the page with its options as the tables have them now; the rest of it is written by hand. */
export function daemonManual(): string {
  const page = readFileSync(join(ROOT, 'man/tuntoxd.8'), 'utf8');
  const [head = '', rest = ''] = page.split(BEGIN);
  const withLetters = SETTING_OPTIONS.filter(({ short }) => short !== undefined);
  const settings = withLetters.map(({ setting, ...option }) => ({ ...option, about: setting.doc }));
  return `${head}${BEGIN}${optionList([...DAEMON_OPTIONS, ...settings])}${rest.slice(rest.indexOf(END))}`;
}

/** The command line of `tuntoxd`: every setting is an option, `--network-udp-ports` for `network.udp_ports`; and a few options of its own. */
import { resolve } from 'node:path';
import { type OptionSyntax, optionError, readWords, type Word } from '../base/command-line.js';
import { isYesOrNo, type WrittenFlag } from './setting-layers.js';
import { SETTING_LIST, type SettingDescription } from './setting-list.js';

export interface DaemonFlags {
  readonly configFile: string | undefined;
  readonly settings: readonly WrittenFlag[];
  /** --check: report the errors of the settings, and exit. */
  readonly isCheck: boolean;
  readonly isBackground: boolean;
  readonly pidFile: string | undefined;
  readonly isSyslog: boolean;
  readonly isColourless: boolean;
  readonly isHelp: boolean;
  /** -h: a summary. */
  readonly isBriefHelp: boolean;
  readonly isVersion: boolean;
  /** Whole sentences. */
  readonly errors: readonly string[];
}

export interface DaemonOption extends OptionSyntax {
  /** The text of help and completion. */
  readonly about: string;
  /** Further sentences for the manual. */
  readonly more?: string;
  readonly completes?: 'file' | 'directory' | 'user';
  /** The option is another name for this value of a setting. */
  readonly means?: { readonly key: string; readonly value: string };
}

/** The options that are no settings. */
export const DAEMON_OPTIONS: readonly DaemonOption[] = [
  {
    name: '--config',
    short: 'c',
    value: 'FILE',
    completes: 'file',
    about:
      'read the settings from FILE (default $TUNTOX_CONFIG, or else /etc/tuntox/tuntox.yaml, for a user ~/.config/tuntox/tuntox.yaml)',
    more: 'The file need not exist. When the daemon is started as root, it uses a file that another user can change only if this option names it.',
  },
  {
    name: '--check',
    about: 'check the settings and exit',
    more: 'Each error is printed with its file and line. When it is started as root, it reads the files as the user of the daemon: that of the setting user, or else tuntox, unless -c is given.',
  },
  { name: '--background', short: 'zD', about: 'run in the background as soon as the daemon works' },
  { name: '--pid-file', short: 'F', value: 'FILE', completes: 'file', about: 'write the process ID to FILE' },
  { name: '--syslog', short: 'S', about: 'log to syslog instead of standard error' },
  {
    name: '--verbose',
    short: 'd',
    about: 'log debug messages (--log-level debug)',
    means: { key: 'log.level', value: 'debug' },
  },
  {
    name: '--quiet',
    short: 'q',
    about: 'log only errors (--log-level error)',
    means: { key: 'log.level', value: 'error' },
  },
  { name: '--no-color', about: 'use no colours, even on a terminal (as do NO_COLOR and TERM=dumb)' },
  { name: '--version', short: 'V', about: 'print the version and exit' },
  { name: '--help', short: 'h', about: 'print all options and settings, and exit; -h prints a summary' },
];

/** Settings that have a letter too. */
const LETTERS: Readonly<Record<string, string>> = { state_dir: 'C', user: 'U' };

export interface SettingOption extends OptionSyntax {
  readonly setting: SettingDescription;
}

/** The options that are settings. */
export const SETTING_OPTIONS: readonly SettingOption[] = [...SETTING_LIST.values()].map((setting) => ({
  name: setting.flag as SettingOption['name'],
  ...(LETTERS[setting.key] === undefined ? {} : { short: LETTERS[setting.key] as string }),
  value: setting.kind === 'yes-or-no' ? 'yes|no' : 'VALUE',
  isValueOptional: setting.kind === 'yes-or-no',
  setting,
}));

type AnyOption = DaemonOption | SettingOption;
const OPTIONS: readonly AnyOption[] = [...DAEMON_OPTIONS, ...SETTING_OPTIONS];
type OptionWord = Extract<Word<AnyOption>, { readonly kind: 'option' }>;

export function readDaemonFlags(words: readonly string[]): DaemonFlags {
  const given = new Map<string, OptionWord>();
  const settings: WrittenFlag[] = [];
  const errors: string[] = [];
  /** The option in front, as it was typed. */
  let before: string | undefined;
  for (const word of joined(readWords(words[0] === 'help' ? ['--help'] : words, OPTIONS))) {
    if (word.kind === 'argument') {
      // The word is not repeated: it may be the password of an option.
      const where = before === undefined ? '' : ` after ${before}`;
      errors.push(`unexpected argument${where}: write each setting as --setting VALUE`);
      continue;
    }
    before = word.written;
    const error = optionError(word, { names: OPTIONS.map(({ name }) => name), example: exampleOf(word.option) });
    if (error !== undefined) errors.push(error);
    else settings.push(...settingsOf(word));
    if (error === undefined && word.option !== undefined) given.set(word.option.name, word);
  }
  return {
    configFile: given.get('--config')?.value,
    settings,
    isCheck: given.has('--check'),
    isBackground: given.has('--background'),
    pidFile: absolute(given.get('--pid-file')?.value),
    isSyslog: given.has('--syslog'),
    isColourless: given.has('--no-color'),
    isHelp: given.has('--help'),
    isBriefHelp: given.get('--help')?.written === '-h',
    isVersion: given.has('--version'),
    errors,
  };
}

/** The path is made absolute: the working directory is different in the background. */
const absolute = (path: string | undefined): string | undefined => (path === undefined ? undefined : resolve(path));

/** Joins `--network-port-mapping false`: alone the option means true, so the parser does not take its value. */
function joined(words: readonly Word<AnyOption>[]): Word<AnyOption>[] {
  const result: Word<AnyOption>[] = [];
  for (const word of words) {
    const before = result.at(-1);
    const isValue = word.kind === 'argument' && isYesOrNo(word.value);
    const isWaiting = before?.kind === 'option' && before.value === undefined && before.option?.isValueOptional;
    if (isValue && isWaiting === true) result.splice(-1, 1, { ...before, value: word.value } as OptionWord);
    else result.push(word);
  }
  return result;
}

function settingsOf({ option, written, value }: OptionWord): WrittenFlag[] {
  if (option === undefined) return [];
  if ('setting' in option) return [{ setting: option.setting, name: written, text: value ?? 'true' }];
  const setting = option.means && SETTING_LIST.get(option.means.key);
  return setting === undefined ? [] : [{ setting, name: written, text: option.means?.value as string }];
}

function exampleOf(option: AnyOption | undefined): string {
  const { value = 'VALUE' } = option ?? {};
  if (option === undefined || !('setting' in option)) return value;
  const { defaultValue, kind } = option.setting;
  return defaultValue === '' || kind === 'list' ? value : String(defaultValue);
}

/** The flags of `tuntoxd`: every setting has one, `--network-udp-ports` for `network.udp_ports`; and a few of a daemon's own. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { nearest } from '../base/nearest.js';
import { isYesOrNo, type WrittenFlag } from './setting-layers.js';
import type { SettingDescription, SettingList } from './setting-list.js';

export interface DaemonFlags {
  readonly configFile: string | undefined;
  readonly settings: readonly WrittenFlag[];
  /** --check: say what is wrong with the settings, and end. */
  readonly isCheck: boolean;
  /** -z or -D */
  readonly isBackground: boolean;
  /** -F */
  readonly pidFile: string | undefined;
  /** -S */
  readonly isSyslog: boolean;
  readonly isHelp: boolean;
  readonly isVersion: boolean;
  /** Whole sentences. */
  readonly faults: readonly string[];
}

/** The classic command's letters, and what else they are called. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  '-c': '--config',
  '-D': '-z',
  '-h': '--help',
  '-V': '--version',
};
const WITH_VALUE = ['--config', '-F', '-c', '-U', '-C'] as const;
const WITHOUT_VALUE = ['--check', '--help', '--version', '-z', '-D', '-S', '-h', '-V', '-d', '-q'] as const;
/** Letters of the classic command that are settings here. */
const SETTING_OF_LETTER: Readonly<Record<string, string>> = { '-U': 'user', '-C': 'state_dir' };
/** -d and -q, as the level that they mean. */
const LEVEL_OF_LETTER: Readonly<Record<string, string>> = { '-d': 'debug', '-q': 'error' };

export function readDaemonFlags(words: readonly string[], list: SettingList): DaemonFlags {
  const byFlag = new Map([...list.values()].map((setting) => [setting.flag, setting]));
  const known = [...WITH_VALUE, ...WITHOUT_VALUE, ...byFlag.keys()];
  const takesValue = (name: string): boolean =>
    (WITH_VALUE as readonly string[]).includes(name) || (byFlag.get(name)?.kind ?? 'yes-or-no') !== 'yes-or-no';
  const options = Object.fromEntries(known.map((name) => option(name, takesValue(name) ? 'string' : 'boolean')));
  const { tokens } = parseArgs({ args: [...words], options, strict: false, allowPositionals: true, tokens: true });
  const given = new Map<string, string>();
  const settings: WrittenFlag[] = [];
  const faults: string[] = [];
  for (const token of joined(tokens, (name) => byFlag.get(name)?.kind === 'yes-or-no')) {
    if (token.kind !== 'option') {
      // Not what it says: it may be the password that belongs to a flag.
      faults.push('there is a word that belongs to no flag: write each setting as --flag VALUE');
      continue;
    }
    const { rawName: name, value } = token;
    const setting = byFlag.get(name) ?? settingOf(name, list);
    if (!known.includes(name)) faults.push(`there is no flag ${name}${perhaps(name, known)}`);
    else if (takesValue(name) && !value) faults.push(`${name} needs a value, as in ${name} ${exampleOf(setting)}`);
    else if (setting !== undefined) settings.push({ setting, name, text: value ?? LEVEL_OF_LETTER[name] ?? 'true' });
    else if (!takesValue(name) && value !== undefined) faults.push(`${name} takes no value: leave it out`);
    else given.set(OTHER_NAMES[name] ?? name, value ?? '');
  }
  return {
    configFile: given.get('--config'),
    settings,
    isCheck: given.has('--check'),
    isBackground: given.has('-z'),
    pidFile: pathIn(given.get('-F')),
    isSyslog: given.has('-S'),
    isHelp: given.has('--help'),
    isVersion: given.has('--version'),
    faults,
  };
}

/** Whole: in the background the working directory is another one. */
const pathIn = (path: string | undefined): string | undefined => (path === undefined ? undefined : resolve(path));

type Token = NonNullable<ReturnType<typeof parseArgs>['tokens']>[number];

/** `--network-port-mapping false`: alone the flag means true, so that the parser leaves its value behind. */
function joined(tokens: readonly Token[], isSwitch: (name: string) => boolean): Token[] {
  const result: Token[] = [];
  for (const token of tokens) {
    const before = result.at(-1);
    const isValue = token.kind === 'positional' && isYesOrNo(token.value);
    if (isValue && before?.kind === 'option' && before.value === undefined && isSwitch(before.rawName)) {
      result.splice(-1, 1, { ...before, value: token.value, inlineValue: false });
    } else result.push(token);
  }
  return result;
}

function settingOf(letter: string, list: SettingList): SettingDescription | undefined {
  return list.get(letter in LEVEL_OF_LETTER ? 'log.level' : (SETTING_OF_LETTER[letter] ?? ''));
}

const exampleOf = (setting: SettingDescription | undefined): string =>
  setting === undefined || setting.usual === '' || setting.kind === 'list' ? 'VALUE' : String(setting.usual);

function perhaps(name: string, known: readonly string[]): string {
  const near = nearest(
    name,
    known.filter((one) => one.startsWith('--')),
  );
  return near === undefined ? '' : `, perhaps ${near} is meant`;
}

/** A flag in the terms of parseArgs, where every option has a long name: a short flag's is its letter, and never matches. */
function option(name: string, type: 'string' | 'boolean'): [string, { type: typeof type; short?: string }] {
  return name.startsWith('--') ? [name.slice(2), { type }] : [name.slice(1), { type, short: name.slice(1) }];
}

/** The sources of settings: the file, the environment and the flags. Each has values with their places, and errors. */
import { didYouMean, nearest } from '../base/nearest.js';
import type { SettingSource } from './schema.js';
import { SETTING_GROUPS, SETTING_LIST, type SettingDescription } from './setting-list.js';
import { readYaml } from './yaml-file.js';

/** A value that is not checked yet. */
export interface WrittenValue {
  readonly setting: SettingDescription;
  readonly value: unknown;
  readonly source: SettingSource;
  /** For messages: a file with a line, a variable or a flag. */
  readonly place: string;
  /** The place of each entry of a list. */
  readonly itemPlaces: readonly string[];
}

export interface Layer {
  readonly values: readonly WrittenValue[];
  /** Messages, each with its place. */
  readonly errors: readonly string[];
}

/** A flag as it was given: repeating it makes a list, the flag alone means true. */
export interface WrittenFlag {
  readonly setting: SettingDescription;
  readonly name: string;
  readonly text: string;
}

export const NO_LAYER: Layer = { values: [], errors: [] };

/** This variable names the file: it is no setting. */
export const CONFIG_VARIABLE = 'TUNTOX_CONFIG';

export function layerOfFile(text: string, path: string): Layer {
  const { entries, errors } = readYaml(text, (key) => SETTING_GROUPS.has(key));
  const at = (line: number): string => `${path}, line ${line}`;
  const found = errors.map(({ line, message }) => `${at(line)}: ${message}`);
  const values: WrittenValue[] = [];
  for (const { key, value, line, itemLines } of entries) {
    const setting = SETTING_LIST.get(key);
    if (setting === undefined) found.push(`${at(line)}: unknown setting "${key}"${suggestion(key)}`);
    // `key:` without a value is ignored.
    else if (value !== null) {
      const written = setting.kind === 'text' && typeof value === 'number' ? String(value) : value;
      values.push({ setting, value: written, source: 'file', place: at(line), itemPlaces: itemLines.map(at) });
    }
  }
  return { values, errors: found };
}

/** Empty variables are ignored, as with ALL_PROXY. */
export function layerOfEnvironment(environment: Readonly<Record<string, string | undefined>>): Layer {
  const byVariable = new Map([...SETTING_LIST.values()].map((setting) => [setting.variable, setting]));
  const prefixes = [...SETTING_GROUPS].map((group) => `TUNTOX_${group.toUpperCase()}_`);
  const values: WrittenValue[] = [];
  const errors: string[] = [];
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith('TUNTOX_') || !text) continue;
    const setting = byVariable.get(name);
    if (setting !== undefined) values.push(valueOfText(setting, [text], { source: 'environment', place: name }));
    else if (prefixes.some((prefix) => name.startsWith(prefix))) {
      const near = nearest(name, byVariable.keys());
      errors.push(`${name}: unknown setting${near === undefined ? '' : `: ${didYouMean([near])}`}`);
    }
  }
  return { values, errors };
}

export function layerOfFlags(flags: readonly WrittenFlag[]): Layer {
  const bySetting = new Map<SettingDescription, WrittenFlag[]>();
  for (const flag of flags) bySetting.set(flag.setting, [...(bySetting.get(flag.setting) ?? []), flag]);
  return {
    errors: [],
    values: [...bySetting].map(([setting, given]) => {
      const { name: place } = given.at(-1) as WrittenFlag;
      // The last flag counts, except for lists.
      const texts = setting.kind === 'list' ? given.map(({ text }) => text) : [(given.at(-1) as WrittenFlag).text];
      return valueOfText(setting, texts, { source: 'flag', place });
    }),
  };
}

const YES: ReadonlySet<string> = new Set(['true', 'yes', 'on', '1']);
const NO: ReadonlySet<string> = new Set(['false', 'no', 'off', '0']);

export const isYesOrNo = (text: string): boolean => {
  const word = text.trim().toLowerCase();
  return YES.has(word) || NO.has(word);
};

/** Parses the text of a variable or flag. A text that is neither yes nor no stays text, which the check refuses. */
function valueOfText(
  setting: SettingDescription,
  texts: readonly string[],
  where: { readonly source: SettingSource; readonly place: string },
): WrittenValue {
  const [text = ''] = texts;
  const word = text.trim().toLowerCase();
  const value = {
    text: () => text,
    list: () => {
      const items = texts.flatMap((one) => one.split(/[\s,]+/).filter((item) => item !== ''));
      // Blanks alone are an error, and do not mean an empty list.
      return items.length > 0 ? items : text;
    },
    'yes-or-no': () => (YES.has(word) ? true : NO.has(word) ? false : text),
  }[setting.kind]();
  return { setting, value, ...where, itemPlaces: [] };
}

/** Replaces a word, alone or as the only entry of a list, by the value that it means. */
export function withWordRead(written: WrittenValue): WrittenValue {
  const word = Array.isArray(written.value) && written.value.length === 1 ? written.value[0] : written.value;
  const { setting } = written;
  return isWordOf(setting, word) ? { ...written, value: setting.words[word] } : written;
}

export const isWordOf = ({ words }: SettingDescription, value: unknown): value is string =>
  typeof value === 'string' && Object.hasOwn(words, value);

/** The group may be missing or wrong, so the last part is compared alone, too. */
function suggestion(key: string): string {
  const lastPart = (name: string): string => name.slice(name.lastIndexOf('.') + 1);
  const keys = [...SETTING_LIST.keys()];
  const withLastPart = (part: string | undefined): string | undefined => keys.find((known) => lastPart(known) === part);
  const near =
    withLastPart(lastPart(key)) ??
    nearest(key, keys) ??
    withLastPart(nearest(lastPart(key), keys.map(lastPart))) ??
    nearest(key, SETTING_GROUPS);
  return near === undefined ? '' : `: ${didYouMean([near])}`;
}

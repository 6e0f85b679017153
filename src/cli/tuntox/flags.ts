/** The flags of the classic command and their grammar, which is getopt's: `-dd`, `-L2222:…`, `-L 2222:…`; long ones besides. */
import { parseArgs } from 'node:util';
import { UsageError } from './usage-error.js';

/** Flags that take a value, with an example of one. */
const WITH_VALUE = {
  '-L': '2222:127.0.0.1:22',
  '-P': '127.0.0.1:22',
  '-W': '127.0.0.1:22',
  '-i': '5A40C344…',
  '-C': '/var/lib/tuntox',
  '-I': '/run/tuntox/id',
  '-f': '/etc/tuntox/rules',
  '-F': '/run/tuntox.pid',
  '-U': 'tuntox',
  '-b': '/etc/tuntox/nodes.json',
  '-u': '33445:33545',
  '-t': '33445',
  '-s': 'SECRET',
  '--secret-file': '/etc/tuntox/secret',
  '--bootstrap': '192.0.2.1:33445:F404AB…',
  '--proxy': 'socks5://127.0.0.1:1080',
  '--timeout': '30s',
  '--max-retries': '3',
} as const;

const WITHOUT_VALUE = [
  '-p',
  '-D',
  '-z',
  '-S',
  '-d',
  '-q',
  '-h',
  '--help',
  '-V',
  '--version',
  '--insecure-open',
  '--node',
  '--no-port-mapping',
] as const;

/** Planned, and refused by name until then: a flag that is silently ignored could open a door. */
const LATER: Readonly<Record<string, string>> = {
  '--json': 'output as JSON',
};

export type ValueFlag = keyof typeof WITH_VALUE;
export type PlainFlag = (typeof WITHOUT_VALUE)[number];

/** The flags as they were given, in order. */
export type GivenFlag =
  | { readonly flag: ValueFlag; readonly value: string }
  | { readonly flag: PlainFlag; readonly value: undefined };

/** @throws UsageError for what is no flag, lacks its value, or comes later */
export function readFlags(words: readonly string[]): GivenFlag[] {
  const { tokens } = parseArgs({
    args: [...words],
    options: OPTIONS,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  return tokens.map((token) => {
    if (token.kind === 'option' && token.rawName === '-D') refuseSocks(words, token.index);
    if (token.kind === 'positional') throw new UsageError(`"${token.value}" does not belong to any flag`);
    if (token.kind === 'option-terminator') throw new UsageError('"--" has no meaning here: leave it out');
    return givenFlag(token.rawName, token.value);
  });
}

/** `-D` alone is running in the background; with `[bind:]port` after it, as with ssh, it is a SOCKS5 proxy, which comes later. */
function refuseSocks(words: readonly string[], at: number): void {
  const word = words[at] as string;
  const attached = word.slice(word.indexOf('D') + 1);
  if ([attached, words[at + 1] ?? ''].some((text) => /^(?:[^\s-].*[:@])?[0-9]{1,5}$/.test(text))) {
    throw new UsageError('-D [BIND:]PORT (a SOCKS5 proxy) is not in this version yet: leave it out');
  }
}

function givenFlag(name: string, value: string | undefined): GivenFlag {
  const later = LATER[name];
  if (later !== undefined) throw new UsageError(`${name} (${later}) is not in this version yet: leave it out`);
  if (isPlainFlag(name)) {
    if (value !== undefined) throw new UsageError(`${name} takes no value: leave "=${value}" out`);
    return { flag: name, value };
  }
  if (!isValueFlag(name)) throw new UsageError(`there is no flag ${name}`);
  if (value === undefined) throw new UsageError(`${name} needs a value, as in ${name} ${WITH_VALUE[name]}`);
  if (value === '') throw new UsageError(`the value of ${name} is empty: write one, as in ${name} ${WITH_VALUE[name]}`);
  return { flag: name, value };
}

const isValueFlag = (name: string): name is ValueFlag => Object.hasOwn(WITH_VALUE, name);
const isPlainFlag = (name: string): name is PlainFlag => (WITHOUT_VALUE as readonly string[]).includes(name);

/** A flag in the terms of parseArgs, where every option has a long name: a short flag's is its letter, and never matches. */
function option(name: string, type: 'string' | 'boolean'): [string, { type: typeof type; short?: string }] {
  return name.startsWith('--') ? [name.slice(2), { type }] : [name.slice(1), { type, short: name.slice(1) }];
}

const OPTIONS = Object.fromEntries([
  ...Object.keys(WITH_VALUE).map((name) => option(name, 'string')),
  ...WITHOUT_VALUE.map((name) => option(name, 'boolean')),
  ...Object.keys(LATER).map((name) => option(name, 'boolean')),
]);

/** Tab completion: the scripts of the shells run `tuntoxctl __complete WORD…`, which answers from the table of commands. */
import { shortKey } from '../../base/short-key.js';
import { type Completes, type Description, GLOBAL_OPTIONS, type Option, optionsOf } from './arguments.js';
import { forwardPlace } from './names.js';
import type { Session } from './session.js';

/** The line that tells the shell to complete file names. */
const FILES = ':files';

/** Where names come from. */
interface NameSources extends Pick<Session, 'call'> {
  /** The names of the hosts that this user has stored. */
  readonly hosts?: () => Promise<readonly string[]>;
}

/**
 * @param words the words after the name of the program; the last one is being typed, and may be empty
 * @returns the candidates, each followed by a tab and its description
 */
export async function complete(
  words: readonly string[],
  commands: readonly Description[],
  sources: NameSources,
): Promise<string[]> {
  const typed = words.at(-1) ?? '';
  const { positionals, pending } = read(words.slice(0, -1), commands);
  const [noun, verb] = positionals;
  const ofNoun = commands.filter(({ path }) => path[0] === noun);
  const command =
    ofNoun.find(({ path }) => path.length === 1 || path[1] === verb) ?? ofNoun.find(({ isDefault }) => isDefault);
  if (pending !== undefined) return matching(await namesOf(pending.completes, sources), typed);
  if (typed.startsWith('-')) {
    const options = command === undefined ? GLOBAL_OPTIONS : [...optionsOf(command), ...GLOBAL_OPTIONS];
    return matching(options.map(described), typed);
  }
  if (noun === undefined) return matching(nouns(commands), typed);
  const isVerbNext = verb === undefined && ofNoun.every(({ path }) => path.length > 1);
  if (isVerbNext)
    return matching(
      ofNoun.map(({ path, about }) => `${path[1]}\t${about}`),
      typed,
    );
  const argument = command?.arguments?.[positionals.length - (command?.path.length ?? 0)];
  return matching(await namesOf(argument?.completes, sources), typed);
}

/** Returns the words that are not options, and the option whose value comes next. */
function read(words: readonly string[], commands: readonly Description[]) {
  const options = [...GLOBAL_OPTIONS, ...commands.flatMap(optionsOf)];
  const positionals: string[] = [];
  let pending: Option | undefined;
  for (const word of words) {
    if (pending !== undefined) pending = undefined;
    else if (word.startsWith('-') && word.length > 1) pending = optionWithValue(word, options);
    else positionals.push(word);
  }
  return { positionals, pending };
}

const optionWithValue = (word: string, options: readonly Option[]): Option | undefined =>
  options.find(
    ({ name, short, value, isValueOptional }) =>
      value !== undefined && isValueOptional !== true && (word === name || word === `-${short}`),
  );

const described = ({ name, about }: Option): string => `${name}\t${about}`;

const nouns = (commands: readonly Description[]): string[] => {
  const found = new Map<string, string>();
  for (const { path, about } of commands) {
    const [noun, verb] = path as [string, string?];
    const before = found.get(noun);
    found.set(noun, before === undefined ? (verb ?? about) : `${before}, ${verb}`);
  }
  return [...found].map(([noun, about]) => `${noun}\t${about}`);
};

const matching = (candidates: readonly string[], typed: string): string[] =>
  candidates.filter((candidate) => candidate === FILES || candidate.toLowerCase().startsWith(typed.toLowerCase()));

/** Returns no names when the daemon does not answer: Tab must never print an error. */
async function namesOf(completes: Completes | undefined, sources: NameSources): Promise<readonly string[]> {
  if (completes === undefined) return [];
  if (completes === 'file') return [FILES];
  if (typeof completes !== 'string') return completes;
  try {
    return completes === 'host' ? ((await sources.hosts?.()) ?? []) : await namesFromDaemon(completes, sources);
  } catch {
    return [];
  }
}

async function namesFromDaemon(
  kind: 'client' | 'entry' | 'pending' | 'invitation' | 'connection' | 'forward',
  session: Pick<Session, 'call'>,
) {
  switch (kind) {
    case 'connection': {
      const { connections } = await session.call('connections.list', {});
      return connections.map(({ id, client }) => `${id}\t${client.name ?? shortKey(client.publicKey)}`);
    }
    case 'forward': {
      const { forwards } = await session.call('forwards.list', {});
      return forwards
        .filter(({ kind }) => kind !== 'reverse')
        .map((forward) => `${forwardPlace(forward)}\t${forward.target ?? 'any target'}`);
    }
    case 'entry':
      return (await session.call('whitelist.list', {})).entries.map(nameAndKey);
    case 'pending': {
      const { clients } = await session.call('clients.pending', {});
      return clients.map(({ client, words }) => `${client.name ?? shortKey(client.publicKey)}\t${words}`);
    }
    case 'invitation': {
      const { invitations } = await session.call('invite.list', {});
      return invitations.map(({ id, name, state }) => `${name ?? id}\t${state}`);
    }
    case 'client': {
      const [{ clients }, { entries }] = await Promise.all([
        session.call('clients.list', {}),
        session.call('whitelist.list', {}),
      ]);
      return [...new Set([...clients.map(({ client }) => client), ...entries].map(nameAndKey))];
    }
  }
}

const nameAndKey = ({ name, publicKey }: { readonly name: string | null; readonly publicKey: string }): string =>
  name === null ? shortKey(publicKey) : `${name}\t${shortKey(publicKey)}`;

/**
 * The file `~/.tuntox/hosts` of upstream's tokssh: a host in each line, with its Tox ID and perhaps a secret.
 *
 *     NAME TOX_ID [SECRET]
 */
import { ALIAS } from '../base/alias.js';
import { plainHostName } from './host-name.js';

export interface UpstreamHost {
  readonly name: string;
  /** As it is written, which may be no Tox ID. */
  readonly toxId: string;
  readonly secret: string | undefined;
}

export interface UpstreamHosts {
  readonly hosts: readonly UpstreamHost[];
  /** Names that no host can have here; they would mean something to a shell, or to ssh. */
  readonly unusable: readonly string[];
}

/** As tokssh reads it: # starts a comment only at the beginning, and of two lines with a name the first counts. */
export function parseUpstreamHosts(text: string): UpstreamHosts {
  const hosts = new Map<string, UpstreamHost>();
  for (const line of text.split('\n')) {
    const [name = '', toxId, ...secret] = line.trim().split(/\s+/);
    if (name.startsWith('#') || toxId === undefined) continue;
    const plain = plainHostName(name);
    if (hosts.has(plain)) continue;
    hosts.set(plain, { name: plain, toxId, secret: secret.length === 0 ? undefined : secret.join(' ') });
  }
  const [usable, unusable] = [true, false].map((is) =>
    [...hosts.values()].filter(({ name }) => ALIAS.test(name) === is),
  );
  return { hosts: usable ?? [], unusable: (unusable ?? []).map(({ name }) => name) };
}

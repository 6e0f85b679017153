/** Finds the addresses of a target that its client may reach, and from where they are connected to. */
import type { LookupAddress } from 'node:dns';
import type { Clock } from '../../base/clock.js';
import { systemCodeOf } from '../../base/coded-error.js';
import { bareHost } from '../wire/target.js';
import { type SourceOf, withSource } from './client-source.js';
import { type DialHandlers, reasonOf } from './dialer.js';
import { NameLookup } from './name-lookup.js';

export interface TargetLookupDeps {
  readonly names?: NameLookup;
  /** By default the system chooses. */
  readonly sourceOf?: SourceOf;
}

export class TargetLookup {
  readonly #names: NameLookup;
  readonly #sourceOf: SourceOf;

  constructor(clock: Clock, { names = new NameLookup(clock), sourceOf = () => undefined }: TargetLookupDeps) {
    this.#names = names;
    this.#sourceOf = sourceOf;
  }

  /**
   * @param onFound gets at least one address, and the source of those of IPv4 on loopback; undefined: the system chooses
   * @returns a function that cancels; then no handler is called
   */
  find(
    peerId: string,
    host: string,
    { mayConnect, onFailed }: Pick<DialHandlers, 'mayConnect' | 'onFailed'>,
    onFound: (addresses: readonly LookupAddress[], source: string | undefined) => void,
  ): () => void {
    return this.#names.lookup(peerId, bareHost(host), (error, found) => {
      if (error !== null) {
        onFailed(reasonOf(error), systemCodeOf(error));
        return;
      }
      const { source, addresses } = withSource(found, () => this.#sourceOf(peerId));
      const allowed = addresses.filter(({ address }) => mayConnect(address));
      if (allowed.length === 0) onFailed(addresses.length === 0 ? 'name-not-found' : 'not-allowed');
      else if (source !== undefined && 'error' in source) onFailed('failed', undefined, source.error);
      else onFound(allowed, source?.address);
    });
  }
}

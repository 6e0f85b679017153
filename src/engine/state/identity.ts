/** Who we are on the network: kept in a directory over restarts, or made for one run. */

import { CodedError } from '../../base/coded-error.js';
import type { Logger } from '../../base/logger.js';
import type { Random } from '../../base/random.js';
import { decodeSavedata, encodeSavedata, newSavedata, type Savedata } from '../../tox/savedata.js';
import { SavedataError } from '../../tox/savedata-error.js';
import { FLAGS } from './setting-names.js';
import { nodeStateFileDeps, StateFile, type StateFileDeps } from './state-file.js';
import { StateFileError, type StateFileFault } from './state-file-error.js';

export type IdentityPlace =
  /** It must be possible to keep the identity there; the directory is created when it is missing. `named`: what its setting is called. */
  | { readonly kind: 'directory'; readonly path: string; readonly named?: string }
  /** Kept there if the directory exists and can be written in, else made for this run. */
  | { readonly kind: 'if-possible'; readonly path: string }
  /** Made for this run. */
  | { readonly kind: 'nowhere' };

/** There is a `tox_save` that is not to be used, and not to be overwritten either. */
export class IdentityError extends CodedError<'encrypted' | 'corrupt'> {}

const WITHOUT_DIRECTORY: ReadonlySet<StateFileFault> = new Set(['missing', 'not-writable']);

interface Deps {
  readonly random: Random;
  readonly log: Logger;
  readonly state?: StateFileDeps;
}

export class Identity {
  /** For the Tox stack: without friends, because nobody gets in or is called by what a file says. */
  readonly savedata: Savedata;
  readonly #friends: Savedata['friends'];
  readonly #file: StateFile | undefined;

  private constructor(savedata: Savedata, file: StateFile | undefined) {
    this.savedata = { ...savedata, friends: [] };
    this.#friends = savedata.friends;
    this.#file = file;
  }

  /**
   * A new identity is on the disk before this resolves.
   * @throws StateFileError, IdentityError
   */
  static async open(deps: Deps, place: IdentityPlace): Promise<Identity> {
    const file = await openFile(deps, place);
    if (file === undefined) return new Identity(newSavedata(deps.random), undefined);
    try {
      const bytes = await file.read();
      if (bytes !== undefined) {
        if (await file.isReadableByOthers()) {
          deps.log.warn(`other users can read the secret key: run chmod 600 ${file.path}`);
        }
        const { writeFault } = file;
        if (writeFault !== undefined) deps.log.warn(`nothing is saved: ${writeFault.message}`);
        return new Identity(decode(bytes, file.path, namedIn(place)), file);
      }
      const identity = new Identity(newSavedata(deps.random), file);
      await identity.save(encodeSavedata(identity.savedata));
      return identity;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Of the file; undefined when the identity ends with this run. */
  get path(): string | undefined {
    return this.#file?.path;
  }

  /** Why nothing can be saved, as it was at the start; undefined when it can. */
  get writeFault(): StateFileError | undefined {
    return this.#file?.writeFault;
  }

  /** False when the identity ends with this run. */
  get isKept(): boolean {
    return this.#file !== undefined;
  }

  /**
   * Keeps what the stack has learned, such as nodes for a warm start; the friends in the file stay as they were.
   * @param bytes from the stack's `savedata()`; wiped
   * @throws StateFileError
   */
  async save(bytes: Buffer): Promise<void> {
    const merged = encodeSavedata({ ...decodeSavedata(bytes), friends: this.#friends });
    bytes.fill(0);
    try {
      await this.#file?.save(merged);
    } finally {
      merged.fill(0);
    }
  }

  async close(): Promise<void> {
    await this.#file?.close();
  }
}

async function openFile(deps: Deps, place: IdentityPlace): Promise<StateFile | undefined> {
  if (place.kind === 'nowhere') return undefined;
  try {
    const isCreated = place.kind === 'directory';
    return await StateFile.open(deps.state ?? nodeStateFileDeps, place.path, { isCreated, named: namedIn(place) });
  } catch (error) {
    if (place.kind === 'directory') throw error;
    if (!(error instanceof StateFileError) || !WITHOUT_DIRECTORY.has(error.code)) throw error;
    deps.log.warn(`this Tox ID is for this run only: ${error.message}`);
    return undefined;
  }
}

const namedIn = (place: IdentityPlace): string =>
  (place.kind === 'directory' ? place.named : undefined) ?? FLAGS.directory;

function decode(bytes: Buffer, path: string, named: string): Savedata {
  try {
    return decodeSavedata(bytes);
  } catch (error) {
    if (!(error instanceof SavedataError)) throw error;
    if (error.code === 'encrypted') {
      const message = `${path} is encrypted with a password: decrypt it with the program that wrote it, or name another directory with ${named}`;
      throw new IdentityError('encrypted', message, { cause: error });
    }
    const message = `${path} is damaged, ${error.message}: restore it from a backup, or move it away to start with a new identity`;
    throw new IdentityError('corrupt', message, { cause: error });
  } finally {
    bytes.fill(0);
  }
}

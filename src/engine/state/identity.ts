/** Our identity on the network: stored in a directory over restarts, or made for one run. */
import { join } from 'node:path';
import { CodedError } from '../../base/coded-error.js';
import type { Logger } from '../../base/logger.js';
import type { Random } from '../../base/random.js';
import { decodeSavedata, encodeSavedata, newSavedata, type Savedata } from '../../tox/savedata.js';
import { SavedataError } from '../../tox/savedata-sections.js';
import { IDENTITY_FILE, nodeStateFileDeps, readStateFile, StateFile, type StateFileDeps } from './state-file.js';
import { type StateDirectory, StateFileError } from './state-file-error.js';

export type IdentityPlace =
  /** The identity must be stored in the directory, which is created when it is missing. */
  | { readonly kind: 'directory'; readonly path: string }
  /** The identity is stored in the directory if it exists and can be written in, else it is made for this run. */
  | { readonly kind: 'if-possible'; readonly path: string }
  /** The identity is made for this run. */
  | { readonly kind: 'nowhere' };

/** There is a `tox_save` that must neither be used nor be overwritten. */
export class IdentityError extends CodedError<'encrypted' | 'corrupt'> {}

const WITHOUT_DIRECTORY: ReadonlySet<string> = new Set(['missing', 'not-writable']);

interface Deps {
  readonly random: Random;
  readonly log: Logger;
  readonly state?: StateFileDeps;
}

export class Identity {
  /** The savedata for the Tox stack, without friends: a file does not decide which peers are admitted or called. */
  readonly savedata: Savedata;
  readonly #friends: Savedata['friends'];
  readonly #file: StateFile | undefined;

  private constructor(savedata: Savedata, file: StateFile | undefined) {
    this.savedata = { ...savedata, friends: [] };
    this.#friends = savedata.friends;
    this.#file = file;
  }

  /**
   * Reads the identity, or makes one, which is on the disk before this resolves.
   * @param names what errors call the settings
   * @throws StateFileError, IdentityError
   */
  static async open(deps: Deps, place: IdentityPlace, names: StateDirectory['names']): Promise<Identity> {
    const file = await openFile(deps, place, names);
    if (file === undefined) return new Identity(newSavedata(deps.random), undefined);
    try {
      const bytes = await file.read();
      if (bytes !== undefined) {
        if (await file.isReadableByOthers()) {
          deps.log.warn(`other users can read the secret key: run chmod 600 ${file.path}`);
        }
        const { writeError } = file;
        if (writeError !== undefined) deps.log.warn(`nothing is saved: ${writeError.message}`);
        return new Identity(decode(bytes, file.path, names), file);
      }
      const identity = new Identity(newSavedata(deps.random), file);
      await identity.save(encodeSavedata(identity.savedata));
      return identity;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /**
   * Reads the identity while another process may use it; nothing is saved.
   * @returns undefined if there is none yet
   * @throws StateFileError, IdentityError
   */
  static async peek(path: string, names: StateDirectory['names']): Promise<Identity | undefined> {
    const bytes = await readStateFile(nodeStateFileDeps.files, { path, names });
    return bytes === undefined ? undefined : new Identity(decode(bytes, join(path, IDENTITY_FILE), names), undefined);
  }

  /** The path of the file; undefined when the identity ends with this run. */
  get path(): string | undefined {
    return this.#file?.path;
  }

  /** Why nothing could be saved at the start; undefined when it could. */
  get writeError(): StateFileError | undefined {
    return this.#file?.writeError;
  }

  /**
   * Saves what the stack has learned, such as nodes for a warm start; the friends in the file stay as they were.
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

async function openFile(
  deps: Deps,
  place: IdentityPlace,
  names: StateDirectory['names'],
): Promise<StateFile | undefined> {
  if (place.kind === 'nowhere') return undefined;
  try {
    const isCreated = place.kind === 'directory';
    return await StateFile.open(deps.state ?? nodeStateFileDeps, { path: place.path, names }, { isCreated });
  } catch (error) {
    if (place.kind === 'directory') throw error;
    if (!(error instanceof StateFileError) || !WITHOUT_DIRECTORY.has(error.code)) throw error;
    deps.log.warn(`this Tox ID is for this run only: ${error.message}`);
    return undefined;
  }
}

function decode(bytes: Buffer, path: string, { directory }: StateDirectory['names']): Savedata {
  try {
    return decodeSavedata(bytes);
  } catch (error) {
    if (!(error instanceof SavedataError)) throw error;
    if (error.code === 'encrypted') {
      const message = `${path} is encrypted with a password: decrypt it with the program that wrote it, or name another directory with ${directory}`;
      throw new IdentityError('encrypted', message, { cause: error });
    }
    const message = `${path} is damaged, ${error.message}: restore it from a backup, or move it away to start with a new identity`;
    throw new IdentityError('corrupt', message, { cause: error });
  } finally {
    bytes.fill(0);
  }
}

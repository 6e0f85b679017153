/**
 * The DHT key of a bootstrap node, which others name in their configuration and which therefore has to outlive restarts:
 *
 *     public key (32) || secret key (32)        DIR/node_key, as tox-bootstrapd keeps its own
 */

import { CodedError } from '../../base/coded-error.js';
import type { Random } from '../../base/random.js';
import { generateKeyPair, type KeyPair, PublicKey, SecretKey } from '../../tox/crypto/keys.js';
import { NODE_KEY, nodeStateFileDeps, StateFile, type StateFileDeps } from './state-file.js';

const KEY_SIZE = 32;

/** There is a `node_key` that is not to be used, and not to be overwritten either. */
export class NodeKeyError extends CodedError<'corrupt'> {}

export class NodeKey {
  readonly keyPair: KeyPair;
  readonly #file: StateFile | undefined;

  private constructor(keyPair: KeyPair, file: StateFile | undefined) {
    this.keyPair = keyPair;
    this.#file = file;
  }

  /**
   * The key kept in a directory, made at the first time; without a directory, one for this run.
   * @throws StateFileError, NodeKeyError
   */
  static async open(
    deps: { readonly random: Random; readonly state?: StateFileDeps },
    directory: string | undefined,
  ): Promise<NodeKey> {
    if (directory === undefined) return new NodeKey(generateKeyPair(deps.random), undefined);
    const file = await StateFile.open(deps.state ?? nodeStateFileDeps, directory, { isCreated: true, name: NODE_KEY });
    try {
      const bytes = await file.read();
      if (bytes !== undefined) return new NodeKey(decode(bytes, file.path), file);
      const { publicKey, secretKey } = generateKeyPair(deps.random);
      await file.save(Buffer.concat([publicKey.bytes, secretKey.bytes]));
      return new NodeKey({ publicKey, secretKey }, file);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Lets other processes have the key. */
  async close(): Promise<void> {
    await this.#file?.close();
  }
}

function decode(bytes: Buffer, path: string): KeyPair {
  if (bytes.length === 2 * KEY_SIZE) {
    const secretKey = new SecretKey(bytes.subarray(KEY_SIZE));
    const publicKey = secretKey.publicKey();
    if (publicKey.equals(new PublicKey(bytes.subarray(0, KEY_SIZE)))) return { publicKey, secretKey };
  }
  const message = `${path} is damaged: restore it from a backup, or move it away to start with a new key`;
  throw new NodeKeyError('corrupt', message);
}

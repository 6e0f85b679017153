/**
 * The DHT key of a bootstrap node, which others name in their configuration, so that it has to outlast restarts:
 *
 *     public key (32) || secret key (32)        DIR/node_key
 */
import { CodedError } from '../../base/coded-error.js';
import type { Random } from '../../base/random.js';
import { generateKeyPair, type KeyPair, SecretKey } from '../../tox/crypto/key-pair.js';
import { PublicKey } from '../../tox/crypto/keys.js';
import { nodeStateFileDeps, StateFile } from './state-file.js';
import type { StateDirectory } from './state-file-error.js';

const FILE_NAME = 'node_key';
const KEY_SIZE = 32;

/** There is a `node_key` that must neither be used nor be overwritten. */
export class NodeKeyError extends CodedError<'corrupt'> {}

export class NodeKey {
  readonly keyPair: KeyPair;
  readonly #file: StateFile | undefined;

  private constructor(keyPair: KeyPair, file: StateFile | undefined) {
    this.keyPair = keyPair;
    this.#file = file;
  }

  /**
   * Reads the key, or makes one and stores it; without a directory, the key is for this run.
   * @throws StateFileError, NodeKeyError
   */
  static async open(random: Random, directory: StateDirectory | undefined): Promise<NodeKey> {
    if (directory === undefined) return new NodeKey(generateKeyPair(random), undefined);
    const file = await StateFile.open(nodeStateFileDeps, directory, { isCreated: true, name: FILE_NAME });
    try {
      const bytes = await file.read();
      if (bytes !== undefined) return new NodeKey(decode(bytes, file.path), file);
      const { publicKey, secretKey } = generateKeyPair(random);
      await file.save(Buffer.concat([publicKey.bytes, secretKey.bytes]));
      return new NodeKey({ publicKey, secretKey }, file);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Lets other processes use the key. */
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
  throw new NodeKeyError(
    'corrupt',
    `${path} is damaged: restore it from a backup, or move it away to start with a new key`,
  );
}

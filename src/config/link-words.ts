/**
 * A link in words, to be read aloud. Their bytes are:
 *
 *     version (4 bits) || secret (100 bits) || public key (32) || nospam (4) || target (the rest; none if empty)
 *
 * The target is text: `22` for a port of the server itself, otherwise as in a link.
 */
import { PublicKey } from '../tox/crypto/keys.js';
import { NOSPAM_SIZE, ToxId } from '../tox/crypto/tox-id.js';
import { FormatError } from './format-error.js';
import { LOOPBACK, parsePort, parseTargetOrService } from './formats.js';
import { type Link, linkTarget } from './link.js';
import { isLinkSecret, secretFromNumber, secretToNumber } from './link-secret.js';
import { MAX_WORD_BYTES, wordLines } from './words.js';

const VERSION = 0n;
/** Bytes of version and secret. */
const HEAD_SIZE = 13;
const SECRET_BITS = 100n;
const KEY_SIZE = 32;
const TARGET_AT = HEAD_SIZE + KEY_SIZE + NOSPAM_SIZE;

/** Returns lines of six words; undefined for a secret that a person chose, and for a very long target, which have none. */
export async function wordsOfLink({ serverId, secret, target }: Link): Promise<readonly string[] | undefined> {
  if (!isLinkSecret(secret)) return undefined;
  const head = ((VERSION << SECRET_BITS) | secretToNumber(secret)).toString(16).padStart(HEAD_SIZE * 2, '0');
  const { publicKey, nospam } = serverId;
  const bytes = Buffer.concat([Buffer.from(head, 'hex'), publicKey.bytes, nospam, Buffer.from(textOf(target))]);
  return bytes.length > MAX_WORD_BYTES ? undefined : wordLines(bytes);
}

/** @param bytes of the words; zeros may follow. @throws FormatError */
export function linkOfBytes(bytes: Buffer): Link {
  const head = BigInt(`0x0${bytes.subarray(0, HEAD_SIZE).toString('hex')}`);
  if (bytes.length < TARGET_AT || head >> SECRET_BITS !== VERSION) {
    throw new FormatError('these words are not a link, or one of a newer version: ask for the link itself');
  }
  const key = new PublicKey(bytes.subarray(HEAD_SIZE, HEAD_SIZE + KEY_SIZE));
  if (!key.isValid) throw new FormatError('no Tox peer can have the key in these words: have them read again');
  return {
    serverId: new ToxId(key, bytes.subarray(HEAD_SIZE + KEY_SIZE, TARGET_AT)),
    secret: secretFromNumber(head),
    target: targetOf(bytes.subarray(TARGET_AT).toString('utf8').replace(/\0+$/, '')),
  };
}

function textOf(target: Link['target']): string {
  if (target === undefined) return '';
  return target.host === LOOPBACK && target.protocol === undefined ? String(target.port) : linkTarget(target);
}

function targetOf(text: string): Link['target'] {
  if (text === '') return undefined;
  return /^[0-9]+$/.test(text) ? { host: LOOPBACK, port: parsePort(text) } : parseTargetOrService(text);
}

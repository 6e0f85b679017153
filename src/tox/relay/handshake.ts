/**
 * The handshake of a client with a relay (spec: "TCP server"): one message each way, sealed with the key that their DHT keys
 * share. The key of the session is that of two ephemeral keys. Bytes in, bytes out.
 */
import { ownedCopy } from '../../base/bytes.js';
import type { Random } from '../../base/random.js';
import { open, seal, sharedKey } from '../crypto/box.js';
import { generateKeyPair, type KeyPair } from '../crypto/key-pair.js';
import type { PublicKey } from '../crypto/keys.js';
import { NONCE_SIZE } from '../crypto/sodium.js';
import {
  decodeRelayGreeting,
  decodeRelayHandshakeContent,
  decodeRelayReply,
  encodeRelayGreeting,
  encodeRelayHandshakeContent,
  encodeRelayReply,
} from '../packet/relay.js';

/** The result of the handshake. Each side seals with the base nonce that it chose itself. */
export interface SessionKeys {
  readonly key: Buffer;
  readonly sendNonce: Buffer;
  readonly receiveNonce: Buffer;
}

export interface ClientHandshake {
  /** 128 bytes for the relay. */
  readonly greeting: Buffer;
  /** Returns undefined when the reply is not that of the relay with this key. */
  finish(reply: Buffer): SessionKeys | undefined;
}

/** Starts the handshake of a client. @param key shared by our DHT key and the relay's */
export function beginHandshake(random: Random, ownKey: PublicKey, key: Buffer): ClientHandshake {
  const ephemeral = generateKeyPair(random);
  const nonce = random.bytes(NONCE_SIZE);
  const sendNonce = random.bytes(NONCE_SIZE);
  const content = encodeRelayHandshakeContent({ ephemeralKey: ephemeral.publicKey, baseNonce: sendNonce });
  return {
    greeting: encodeRelayGreeting({ publicKey: ownKey, nonce, sealed: seal(key, nonce, content) }),
    finish: (bytes) => {
      const reply = decodeRelayReply(bytes);
      const plain = reply && open(key, reply.nonce, reply.sealed);
      const answer = plain && decodeRelayHandshakeContent(plain);
      const session = answer && {
        key: sharedKey(answer.ephemeralKey, ephemeral.secretKey),
        sendNonce,
        receiveNonce: ownedCopy(answer.baseNonce),
      };
      ephemeral.secretKey.wipe();
      return session;
    },
  };
}

export interface ServerHandshake {
  readonly clientKey: PublicKey;
  /** 96 bytes for the client. */
  readonly reply: Buffer;
  readonly session: SessionKeys;
}

/** Answers a client's greeting; returns undefined when it is not meant for us. */
export function answerHandshake(random: Random, keyPair: KeyPair, bytes: Buffer): ServerHandshake | undefined {
  const greeting = decodeRelayGreeting(bytes);
  // A key with the top bit set is another name of the same key, under which one client could appear as two.
  if (greeting === undefined || !greeting.publicKey.isValid) return undefined;
  const key = sharedKey(greeting.publicKey, keyPair.secretKey);
  const plain = open(key, greeting.nonce, greeting.sealed);
  const request = plain && decodeRelayHandshakeContent(plain);
  if (request === undefined) return undefined;
  const ephemeral = generateKeyPair(random);
  const nonce = random.bytes(NONCE_SIZE);
  const sendNonce = random.bytes(NONCE_SIZE);
  const content = encodeRelayHandshakeContent({ ephemeralKey: ephemeral.publicKey, baseNonce: sendNonce });
  const session = {
    key: sharedKey(request.ephemeralKey, ephemeral.secretKey),
    sendNonce,
    receiveNonce: ownedCopy(request.baseNonce),
  };
  ephemeral.secretKey.wipe();
  return {
    clientKey: greeting.publicKey,
    reply: encodeRelayReply({ nonce, sealed: seal(key, nonce, content) }),
    session,
  };
}

/** Real connections to a relay, from any loopback address, for tests: decent clients, and what is needed for indecent ones. */
import { Socket } from 'node:net';
import { systemClock } from '../../../src/base/clock.js';
import { systemRandom } from '../../../src/base/random.js';
import { sharedKey } from '../../../src/tox/crypto/box.js';
import { generateKeyPair, type KeyPair } from '../../../src/tox/crypto/key-pair.js';
import type { DialStream } from '../../../src/tox/network/stream-socket.js';
import { NodeStream } from '../../../src/tox/network/tcp.js';
import type { NodeInfo } from '../../../src/tox/packet/node-info.js';
import { encodeRelayPacket, RELAY_REPLY_SIZE, type RelayPacket } from '../../../src/tox/packet/relay.js';
import { beginHandshake } from '../../../src/tox/relay/handshake.js';
import { RelayClient, type RelayClientHandlers } from '../../../src/tox/relay/relay-client.js';
import { SecureStream } from '../../../src/tox/relay/secure-stream.js';

/** A plain socket to the relay. All of 127/8 is this machine. */
export function call(relay: NodeInfo, localAddress: string): Socket {
  const socket = new Socket();
  // How the relay ends it is the relay's affair.
  socket.on('error', () => {});
  const { address, port } = relay.endpoint;
  return socket.connect({ host: address, port, localAddress });
}

const dialFrom =
  (relay: NodeInfo, localAddress: string): DialStream =>
  (to, handlers) => {
    const stream = new NodeStream(call(relay, localAddress), to);
    stream.attach(handlers);
    return stream;
  };

/** A client as the program has it. */
export function decentClient(
  relay: NodeInfo,
  localAddress: string,
  keys: KeyPair,
  handlers: RelayClientHandlers,
): RelayClient {
  return new RelayClient(
    {
      clock: systemClock,
      random: systemRandom,
      dial: dialFrom(relay, localAddress),
      ownKey: keys.publicKey,
      sharedKey: sharedKey(relay.publicKey, keys.secretKey),
    },
    relay,
    handlers,
  );
}

/** A client that can send anything after the handshake. */
export interface Insider {
  readonly socket: Socket;
  readonly keys: KeyPair;
  /** @returns false when the socket is full */
  say(packet: RelayPacket): boolean;
}

/** Does the handshake, and confirms it with a ping. Later packets of the relay are discarded unless the socket is paused. */
export function shakeHands(
  relay: NodeInfo,
  localAddress: string,
  onInside: (insider: Insider) => void,
  keys = generateKeyPair(systemRandom),
): Socket {
  const socket = call(relay, localAddress);
  const handshake = beginHandshake(systemRandom, keys.publicKey, sharedKey(relay.publicKey, keys.secretKey));
  let reply = Buffer.alloc(0);
  const onReply = (bytes: Buffer): void => {
    reply = Buffer.concat([reply, bytes]);
    if (reply.length < RELAY_REPLY_SIZE) return;
    socket.off('data', onReply);
    const session = handshake.finish(reply.subarray(0, RELAY_REPLY_SIZE));
    if (session === undefined) throw new Error('the relay has another key');
    socket.on('data', () => {});
    const stream = new SecureStream(
      { write: (frame) => !socket.destroyed && socket.write(frame), onPacket: () => {} },
      session,
    );
    const say = (packet: RelayPacket): boolean => {
      stream.drained();
      return stream.send(encodeRelayPacket(packet)) && socket.writableLength < 65_536;
    };
    say({ kind: 'ping', id: 1n });
    onInside({ socket, keys, say });
  };
  socket.on('data', onReply);
  socket.once('connect', () => socket.write(handshake.greeting));
  return socket;
}

/** A peer of ours as it was before early data: it speaks version 1 of the extension. */
import { decodeFrame, EARLY, encodeFrame, type Frame, PING, PONG } from '../../../src/tunnel/wire/frame.js';
import { decodeHello, encodeHello } from '../../../src/tunnel/wire/hello.js';
import type { PeerChannel } from '../../../src/tunnel/wire/peer-channel.js';

/** @returns a channel on which both sides of a hello have version 1, and early data is dropped as a frame of unknown type */
export function asVersionOne(channel: PeerChannel): PeerChannel {
  return {
    get peerId() {
      return channel.peerId;
    },
    get maxPacketSize() {
      return channel.maxPacketSize;
    },
    get silence() {
      return channel.silence;
    },
    send: (packet) => channel.send(withVersionOne(packet)),
    sendLossy: (packet) => channel.sendLossy(packet),
    receive: (handlers) =>
      channel.receive({
        onPacket: (packet) => {
          if (decodeFrame(packet)?.type !== EARLY) handlers.onPacket(withVersionOne(packet));
        },
        onLossy: (packet) => handlers.onLossy(packet),
        onDrain: () => handlers.onDrain(),
        onClose: () => handlers.onClose(),
      }),
  };
}

function withVersionOne(packet: Buffer): Buffer {
  const { type, id, data } = decodeFrame(packet) as Frame;
  const hello = type === PING || type === PONG ? decodeHello(data) : undefined;
  return hello === undefined ? packet : encodeFrame(type, id, encodeHello({ ...hello, version: 1 }));
}

/** UDP sessions on the agent's socket, at both of its ends. What the other end does not take in time is lost. */
import type { Socket } from 'node:net';
import { Readable, Writable } from 'node:stream';
import type { LocalStreams } from '../../agent/carry.js';
import { DatagramFrameReader, encodeDatagramFrame } from '../../agent/datagram-frames.js';
import type { Clock } from '../../base/clock.js';
import type { DatagramEnd } from '../../tunnel/stream/datagram-end.js';
import { explainReason } from '../../tunnel/wire/reasons.js';
import { ChunkSink, lingerOn } from './agent-end.js';

/** Bytes that may wait for the other end. */
const MAX_WAITING = 256 * 1024;

/** A client of the agent as the local end of a session. */
export function agentDatagramEnd(clock: Clock, socket: Socket): DatagramEnd {
  const sink = new ChunkSink(socket);
  return {
    localPort: undefined,
    remoteAddress: undefined,
    start: ({ onDatagram, onEnd }) => {
      const reader = new DatagramFrameReader(onDatagram);
      socket.on('data', (bytes: Buffer) => reader.push(bytes));
      socket.on('end', onEnd).on('close', onEnd).resume();
    },
    send: (bytes) => {
      if (socket.writableLength < MAX_WAITING && !sink.writableEnded) sink.write(encodeDatagramFrame(bytes));
    },
    reset: (reason) => {
      sink.fail({ event: 'error', code: reason, message: explainReason(reason) });
      lingerOn(clock, socket);
    },
    destroy: () => {
      sink.end();
      lingerOn(clock, socket);
    },
  };
}

/** The local end of a session as the streams that are carried to the agent. */
export function datagramStreams(end: DatagramEnd): LocalStreams {
  const source = new Readable({ read: () => {} });
  const reader = new DatagramFrameReader((bytes) => end.send(bytes));
  const sink = new Writable({
    write: (bytes: Buffer, _encoding, done) => {
      reader.push(bytes);
      done();
    },
  });
  let isOver = false;
  const finish = (): void => {
    if (!isOver) source.push(null);
    isOver = true;
  };
  end.start({
    onDatagram: (bytes) => {
      if (!isOver && source.readableLength < MAX_WAITING) source.push(encodeDatagramFrame(bytes));
    },
    onFailed: finish,
    onEnd: finish,
  });
  return { source, sink };
}

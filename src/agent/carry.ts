/** Carries the bytes of one tunnel between the agent and a local stream, or a pair of them. */
import type { Readable, Writable } from 'node:stream';
import { ChunkReader } from './chunks.js';
import { AgentError, agentEnded, type Conversation } from './conversation.js';
import { LineBuffer } from './line-buffer.js';
import { type AgentEvent, MAX_EVENT_SIZE, parseEvent } from './messages.js';

export interface LocalStreams {
  /** The same stream twice for a socket, which was made with `allowHalfOpen`. */
  readonly source: Readable;
  readonly sink: Writable;
}

/**
 * Called after the event `open`. Each direction ends by itself. The streams are left to the caller after an error.
 * @throws AgentError when the tunnel broke, or the agent has ended; errors of the streams
 */
export function carry(conversation: Conversation, { source, sink }: LocalStreams): Promise<void> {
  return new Promise((resolve, reject) => {
    const { socket, rest, isEarly } = conversation.takeOver();
    const errorLine = new LineBuffer(MAX_EVENT_SIZE);
    let state: 'bytes' | 'error' | 'ended' = 'bytes';
    let isDelivered = false;
    const fail = (error: unknown): void => {
      source.unpipe(socket);
      socket.destroy();
      reject(error);
    };
    const check = (): void => {
      // After its last chunk the agent disconnects when the tunnel is over, whether our direction has ended or not.
      if (isDelivered && (socket.writableFinished || socket.destroyed)) {
        socket.destroy();
        resolve();
      }
    };
    const onErrorBytes = (bytes: Buffer): void => {
      errorLine.push(bytes);
      const line = errorLine.next();
      if (line === undefined) return;
      const { code, message }: Partial<AgentEvent> = parseEvent(line) ?? {};
      fail(typeof code === 'string' && typeof message === 'string' ? new AgentError(code, message) : agentEnded());
    };
    let isFull = false;
    const reader = new ChunkReader({
      onBytes: (bytes) => {
        if (sink.write(bytes) || isFull) return;
        isFull = true;
        socket.pause();
        sink.once('drain', () => {
          isFull = false;
          socket.resume();
        });
      },
      onEnd: () => {
        state = 'ended';
        sink.end(() => {
          isDelivered = true;
          check();
        });
      },
      onError: () => {
        state = 'error';
      },
    });
    const onRead = (read: Buffer): void => {
      const after = state === 'bytes' ? reader.push(read) : read;
      if (state === 'error' && after !== undefined) onErrorBytes(after);
    };
    sink.on('error', fail);
    if (source !== (sink as unknown)) source.on('error', fail);
    socket.on('data', onRead);
    socket.on('finish', check);
    const onClosed = (): void => (state === 'ended' ? check() : fail(agentEnded()));
    // After the death of the agent there is an end, but no close before we write.
    socket.on('end', onClosed).on('close', onClosed);
    if (rest.length > 0) onRead(rest);
    if (!isEarly) source.pipe(socket);
    else if (source.errored) fail(source.errored);
    if (!isFull) socket.resume();
  });
}

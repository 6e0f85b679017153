/** A client of an agent whose version has no event `early`. */
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import t, { type Test } from 'tap';
import { carry } from '../../src/agent/carry.js';
import { encodeChunkHeader } from '../../src/agent/chunks.js';
import { Conversation } from '../../src/agent/conversation.js';
import { AGENT_VERSION, encodeLine } from '../../src/agent/messages.js';
import { agentPlaces } from '../../src/agent/socket-file.js';
import { ManualClock } from '../support/manual-clock.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const turns = async (count: number): Promise<void> => {
  for (let left = count; left > 0; left -= 1) await new Promise((resolve) => setImmediate(resolve));
};

/** An agent that opens a tunnel to an echo, without early data. */
async function startOldAgent(t: Test) {
  const directory = temporaryDirectory(t);
  const [state, runtime] = [join(directory, 'state'), join(directory, 'tuntox')];
  for (const one of [state, runtime]) mkdirSync(one, { mode: 0o700 });
  const received = { beforeOpen: '', bytes: 0 };
  const serve = async (socket: Socket): Promise<void> => {
    const tell = (event: object): void => void socket.write(encodeLine(event));
    tell({ event: 'hello', version: AGENT_VERSION, program: 'tuntox 0.1', pid: 1, state });
    const collect = (bytes: Buffer): void => {
      received.beforeOpen += bytes.toString('latin1');
    };
    socket.on('data', collect);
    await once(socket, 'data');
    tell({ event: 'held' });
    await turns(50);
    socket.off('data', collect);
    tell({ event: 'open' });
    socket.on('data', (bytes: Buffer) => {
      received.bytes += bytes.length;
      socket.write(Buffer.concat([encodeChunkHeader(bytes.length), bytes]));
    });
    socket.once('end', () => socket.end(encodeChunkHeader(0)));
  };
  const server = createServer({ allowHalfOpen: true }, (socket) => void serve(socket));
  t.teardown(() => server.close());
  server.listen(join(runtime, 'agent.sock'));
  await once(server, 'listening');
  return { places: agentPlaces({ state, runtime }), received };
}

t.test('an agent without early data gets all bytes after the event "open", and each once', async (t) => {
  const { places, received } = await startOldAgent(t);
  const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7) % 251));
  const [source, sink] = [new PassThrough(), new PassThrough()];
  source.end(bytes);
  const request = { ask: 'open', host: { toxId: 'nas' }, target: { host: 'h', port: 1 } } as const;
  const { conversation } = await Conversation.begin({ clock: new ManualClock() }, places, request);
  t.teardown(() => conversation.close());
  await conversation.untilOpen(source, () => {});
  t.match(received.beforeOpen, /^\{[^\n]*\}\n$/, 'nothing but the request');
  const carried = carry(conversation, { source, sink });
  const chunks: Buffer[] = [];
  for await (const chunk of sink) chunks.push(chunk as Buffer);
  await carried;
  t.ok(Buffer.concat(chunks).equals(bytes));
  t.equal(received.bytes, bytes.length);
});

/** A WebSocket through -D stays open for an hour in which it is mostly idle, over whole stacks on the simulated internet. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { silentLogger } from '../../src/base/logger.js';
import { openChannels } from '../../src/engine/network/tox-channel.js';
import type { Friend } from '../../src/tox/messenger.js';
import { TunnelService } from '../../src/tunnel/tunnel-service.js';
import { type Peer, World } from '../support/world.js';

/** ms between two messages, as of a page that shows it is still there. */
const IDLE = 30_000;
const HOUR = 3_600_000;
const TEXT = 0x81;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A text of less than 126 bytes; a client masks it (RFC 6455, chapter 5). */
function encodeText(text: string, mask?: Buffer): Buffer {
  const bytes = Buffer.from(text);
  if (mask === undefined) return Buffer.concat([Buffer.of(TEXT, bytes.length), bytes]);
  return Buffer.concat([
    Buffer.of(TEXT, 0x80 | bytes.length),
    mask,
    bytes.map((byte, at) => byte ^ (mask[at % 4] ?? 0)),
  ]);
}

/** Takes the texts off the beginning of `bytes`. @returns what is left */
function takeTexts(bytes: Buffer, onText: (text: string) => void): Buffer {
  for (let rest = bytes; ; ) {
    const [, second = 0] = rest;
    const [isMasked, size] = [second >= 0x80, second & 0x7f];
    const start = isMasked ? 6 : 2;
    if (rest.length < 2 || rest.length < start + size) return rest;
    const mask = rest.subarray(2, start);
    const text = rest.subarray(start, start + size).map((byte, at) => byte ^ (isMasked ? (mask[at % 4] ?? 0) : 0));
    onText(Buffer.from(text).toString());
    rest = rest.subarray(start + size);
  }
}

/** Answers the handshake of WebSocket, then each text with itself. */
function echo(socket: Socket): void {
  let bytes = Buffer.alloc(0);
  let isOpen = false;
  // The end of the test resets it.
  socket
    .on('error', () => {})
    .on('data', (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      if (!isOpen) {
        const [head, key] = /Sec-WebSocket-Key: (\S+)\r\n(?:.+\r\n)*\r\n/.exec(bytes.toString('latin1')) ?? [];
        if (head === undefined) return;
        const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
        socket.write(`HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
        bytes = Buffer.alloc(0);
        isOpen = true;
      }
      bytes = Buffer.from(takeTexts(bytes, (text) => socket.write(encodeText(text))));
    });
}

/** The services of a client and of its server, which are friends. */
async function connected(t: Test, world: World) {
  const [node, serverPeer] = (await world.peers(2)) as [Peer, Peer];
  const clientPeer = (await world.peer()).join(node);
  const service = (): TunnelService => {
    const { clock, random } = world;
    const mayReach = () => ({ allowed: true }) as const;
    const one = new TunnelService({ clock, random, log: silentLogger, policy: { mayReach } });
    t.teardown(() => one.stop());
    return one;
  };
  const [client, server] = [service(), service()];
  const join = (friend: Friend, tunnels: TunnelService): void =>
    void openChannels(friend, { onOpen: (channel) => tunnels.attach(channel), onClose: () => {} });
  serverPeer.tox.onFriendRequest((request) => join(request.accept(), server));
  const friend = clientPeer.tox.addFriend(serverPeer.tox.id, Buffer.from('hi\0'));
  join(friend, client);
  if ((await world.until(() => friend.isOnline, 60_000)) === undefined) throw new Error('never online');
  return { client, serverId: serverPeer.tox.publicKey.hex };
}

t.test('a WebSocket through -D echoes for an hour, with 30 s of silence between its messages', async (t) => {
  const world = new World(5);
  const { client, serverId } = await connected(t, world);
  world.network.faults.loss = 0.02;
  const target = createServer(echo).listen(0, '127.0.0.1');
  t.teardown(() => target.close());
  await once(target, 'listening');
  const forward = await client.forward(serverId, { kind: 'dynamic', at: { kind: 'port', bind: '127.0.0.1', port: 0 } });
  const program = connect({ host: '127.0.0.1', port: forward.port });
  t.teardown(() => program.destroy());
  let received = Buffer.alloc(0);
  program.on('data', (chunk) => {
    received = Buffer.concat([received, chunk]);
  });
  const until = async (condition: () => boolean): Promise<void> => {
    for (let left = 10_000; !condition() && left > 0; left -= 1) {
      await turn();
      world.clock.advance(10);
    }
  };
  const hears = async (text: string | RegExp): Promise<void> => {
    await until(() => received.toString('latin1').search(text) >= 0);
    t.match(received.toString('latin1'), text);
    received = Buffer.alloc(0);
  };

  program.write(`CONNECT 127.0.0.1:${(target.address() as AddressInfo).port} HTTP/1.1\r\n\r\n`);
  await hears(/^HTTP\/1.1 200 .*\r\n\r\n$/);
  program.write(
    'GET /chat HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nX: y\r\n\r\n',
  );
  await hears(/^HTTP\/1.1 101 .*\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n\r\n$/s);
  const start = world.clock.now();
  const echoed: string[] = [];
  const sent: string[] = [];
  while (world.clock.now() - start < HOUR) {
    world.clock.advance(IDLE);
    const text = `message ${sent.length}`;
    sent.push(text);
    program.write(encodeText(text, world.random.bytes(4)));
    await until(() => received.length >= text.length + 2);
    received = Buffer.from(takeTexts(received, (one) => echoed.push(one)));
  }
  t.ok(sent.length > 100);
  t.same(echoed, sent);
  t.match(forward.traffic, { open: 1, total: 1 });
});

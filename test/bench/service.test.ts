/** The service as a process, visited directly: what the demo says is only worth what these can notice. */
import { createHash } from 'node:crypto';
import { type AddressInfo, connect, createServer } from 'node:net';
import t from 'tap';
import { startService, stopAll } from '../../bench/support/private-network.js';
import { greet, roundTrips, transfer } from '../../bench/support/service-client.js';
import { content } from '../support/exchange.js';

const SIZE = 300_001;
t.teardown(() => stopAll());

/** A way to the service on which one byte of what it sends, by its place in the connection, is changed. */
async function damagedWayTo(port: number, place: number): Promise<{ port: number; close: () => void }> {
  const server = createServer((socket) => {
    const other = connect(port, '127.0.0.1');
    let passed = 0;
    other.on('data', (data) => {
      const index = place - passed;
      if (index >= 0 && index < data.length) data[index] = (data[index] as number) ^ 1;
      passed += data.length;
      socket.write(data);
    });
    for (const one of [socket, other]) one.on('error', () => {});
    socket.pipe(other);
    socket.once('close', () => other.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

t.test('a visit', async (t) => {
  const port = await startService();

  await t.test('both ends compute the digest of the real bytes', async (t) => {
    for (const direction of ['down', 'up'] as const) {
      const hash = createHash('sha256');
      for (const chunk of content(direction, SIZE)) hash.update(chunk);
      const expected = hash.digest('hex');
      const { bytes, sentDigest, receivedDigest } = await transfer(port, direction, SIZE);
      t.same({ bytes, sentDigest, receivedDigest }, { bytes: SIZE, sentDigest: expected, receivedDigest: expected });
    }
  });

  await t.test('progress ends at the total', async (t) => {
    let last = 0;
    await transfer(port, 'up', SIZE, { hasDigest: false, onProgress: (bytes) => (last = bytes) });
    t.equal(last, SIZE);
  });

  await t.test('one changed byte makes the digests differ', async (t) => {
    const way = await damagedWayTo(port, 200_000);
    t.teardown(way.close);
    const { sentDigest, receivedDigest } = await transfer(way.port, 'down', SIZE);
    t.not(receivedDigest, sentDigest);
  });

  await t.test('each round trip is measured', async (t) => {
    t.equal((await roundTrips(port, 7)).length, 7);
  });

  await t.test('a program with another greeting is not the service', async (t) => {
    const way = await damagedWayTo(port, 0);
    t.teardown(way.close);
    await t.rejects(greet(way.port), /greets with/);
  });
});

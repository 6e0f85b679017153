import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import t, { type Test } from 'tap';
import type { BindLookup } from '../../../src/base/host-listener.js';
import { silentLogger } from '../../../src/base/logger.js';
import { LocalListener } from '../../../src/tunnel/client/local-listener.js';
import { World } from '../support/world.js';

function listener(t: Test, ...addresses: string[]): LocalListener {
  const lookUp: BindLookup = async (host) => {
    if (addresses.length === 0) throw Object.assign(new Error(host), { code: 'ENOTFOUND' });
    return addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  };
  const made = new LocalListener({ log: silentLogger, lookUp }, (socket) => void socket.end());
  t.teardown(() => made.close());
  return made;
}

/** Whether somebody answers there. */
async function isServed(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

t.test('it listens on every address of a name, at one port, until it is closed', async (t) => {
  const local = listener(t, '127.0.0.1', '127.0.0.2', '127.0.0.1');
  await local.listen('here', 0);
  const port = local.port as number;
  t.same([await isServed('127.0.0.1', port), await isServed('127.0.0.2', port)], [true, true]);
  t.equal(await isServed('127.0.0.3', port), false);
  local.close();
  t.same([await isServed('127.0.0.1', port), await isServed('127.0.0.2', port)], [false, false]);
});

t.test('localhost is both 127.0.0.1 and ::1, whatever names are told', async (t) => {
  const local = listener(t);
  await local.listen('localhost', 0);
  const port = local.port as number;
  t.same([await isServed('127.0.0.1', port), await isServed('::1', port)], [true, true]);
});

t.test('an address that this machine does not have is left out, and one of them is enough', async (t) => {
  const local = listener(t, '2001:db8::1', '127.0.0.1', '192.0.2.1');
  await local.listen('here', 0);
  t.equal(await isServed('127.0.0.1', local.port as number), true);
  await t.rejects(listener(t, '2001:db8::1', '192.0.2.1').listen('there', 0), {
    code: 'no-such-address',
    message: /has no address there/,
  });
});

t.test('an address where another program listens is an error, and then it listens nowhere', async (t) => {
  const other = createServer().listen(0, '127.0.0.2');
  t.teardown(() => other.close());
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const local = listener(t, '127.0.0.1', '127.0.0.2');
  await t.rejects(local.listen('here', port), { code: 'address-in-use', message: /of 127\.0\.0\.2 .*choose another/ });
  t.equal(local.port, undefined);
  t.equal(await isServed('127.0.0.1', port), false);
});

t.test('a port that cannot be listened on is told with what to do', async (t) => {
  const port = await new World(t).target(() => {});
  await t.rejects(listener(t).listen('127.0.0.1', port), { code: 'address-in-use', message: /choose another/ });
  await t.rejects(listener(t).listen('192.0.2.1', 0), { code: 'no-such-address', message: /192\.0\.2\.1/ });
  await t.rejects(listener(t).listen('nowhere', 0), { code: 'no-such-address', message: /nowhere/ });
});

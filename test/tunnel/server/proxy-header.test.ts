/** The header of the PROXY protocol, against bytes that were written down from the tables of the specification. */
import t from 'tap';
import { encodeProxyHeader } from '../../../src/tunnel/server/proxy-header.js';
import { pairOfOurs, readSome } from '../support/world.js';

const KEY = 'ABCDEF0123456789'.repeat(4);
const SIGNATURE = '0d0a0d0a000d0a515549540a';
/** Type 0xe0, 64 bytes, and the digits in lower case. */
const TLV = `e00040${Buffer.from(KEY.toLowerCase()).toString('hex')}`;
const hex = (parts: readonly string[]): string => parts.join('');

t.test('a header for IPv4 has both addresses, both ports and the key', (t) => {
  const header = encodeProxyHeader({ address: '127.64.1.2', port: 50_000 }, { address: '127.0.0.1', port: 8080 }, KEY);
  t.equal(header.toString('hex'), hex([SIGNATURE, '21', '11', '004f', '7f400102', '7f000001', 'c350', '1f90', TLV]));
  t.end();
});

t.test('for a target with an IPv6 address, that of the client is mapped into IPv6', (t) => {
  const header = encodeProxyHeader({ address: '127.64.1.2', port: 1 }, { address: '2001:db8::5', port: 443 }, KEY);
  const addresses = ['00000000000000000000ffff7f400102', '20010db8000000000000000000000005'];
  t.equal(header.toString('hex'), hex([SIGNATURE, '21', '21', '0067', ...addresses, '0001', '01bb', TLV]));
  t.end();
});

t.test('a Unix socket has no address and no port', (t) => {
  const header = encodeProxyHeader({ address: '127.64.1.2', port: 0 }, undefined, KEY);
  t.equal(header.toString('hex'), hex([SIGNATURE, '21', '11', '004f', '7f400102', '7f000001', '0000', '0000', TLV]));
  t.end();
});

t.test(
  'a target that asks for it gets the header before the bytes of the client, and another gets those alone',
  async (t) => {
    for (const clientAddress of ['127.64.1.2', undefined]) {
      const got: Promise<Buffer>[] = [];
      const ports: (number | undefined)[] = [];
      const { world, port, target } = await pairOfOurs(
        t,
        (socket) => {
          ports.push(socket.remotePort);
          got.push(readSome(socket, 1_000));
        },
        { mayReach: () => (clientAddress === undefined ? { allowed: true } : { allowed: true, clientAddress }) },
      );
      (await world.connect(port)).end('hello');
      while (got.length === 0) await new Promise((resolve) => setImmediate(resolve));
      const bytes = (await got[0]) as Buffer;
      const source = { address: clientAddress ?? '', port: ports[0] as number };
      const header =
        clientAddress === undefined
          ? Buffer.alloc(0)
          : encodeProxyHeader(source, { address: target.host, port: target.port }, 'c1'.repeat(32));
      t.same(bytes, Buffer.concat([header, Buffer.from('hello')]));
    }
  },
);

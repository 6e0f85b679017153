import t from 'tap';
import { UdpListener } from '../../../src/tunnel/datagram/udp-socket.js';

t.test('an answer to a program that gave port 0 as its own is lost, and breaks nothing', async (t) => {
  const received: string[] = [];
  const arrived = new Promise<void>((resolve) => {
    const other = new UdpListener((bytes) => {
      received.push(`${bytes}`);
      resolve();
    });
    t.teardown(() => other.close());
    const listener = new UdpListener(() => {});
    t.teardown(() => listener.close());
    other.listen({ port: 0, host: '127.0.0.1' }, () =>
      listener.listen({ port: 0, host: '127.0.0.1' }, () => {
        listener.send(Buffer.from('lost'), { address: '127.0.0.1', port: 0 });
        listener.send(Buffer.from('next'), { address: '127.0.0.1', port: other.address()?.port ?? 0 });
      }),
    );
  });
  await arrived;
  t.same(received, ['next']);
});

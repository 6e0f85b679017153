import t from 'tap';
import { pipeTarget } from '../../../../src/cli/tuntox/modes/pipe-target.js';

const at = (port: number) => ({ target: { host: '127.0.0.1', port }, sshPort: port });
const offering = (...names: string[]) => ({ services: async () => names.map((name) => ({ name, port: 1 })) });
const upstream = { services: async () => undefined };
const silent = {
  services: async () => {
    throw new Error('nobody should ask');
  },
};

t.test('the port of ssh is the service ssh of a server that offers one', async (t) => {
  t.same(await pipeTarget(at(22), offering('web', 'ssh')), { host: 'ssh', port: 0 });
  for (const server of [offering(), offering('web'), upstream]) {
    t.same(await pipeTarget(at(22), server), { host: '127.0.0.1', port: 22 });
  }
});

t.test('another port, and the target of -W, are what they say, without a question', async (t) => {
  t.same(await pipeTarget(at(2222), silent), { host: '127.0.0.1', port: 2222 });
  const written = { target: { host: 'nas', port: 22 } };
  t.same(await pipeTarget(written, silent), written.target);
});

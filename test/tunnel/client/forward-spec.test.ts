import t from 'tap';
import { describeForward } from '../../../src/tunnel/client/forward-spec.js';
import { localSpec } from '../support/local-spec.js';

t.test('a forward is described by its place and its target', async (t) => {
  const ssh = { host: '127.0.0.1', port: 22 };
  t.equal(describeForward(localSpec(ssh, 1)), '127.0.0.1:1 -> 127.0.0.1:22');
  t.equal(
    describeForward({ ...localSpec({ host: '::1', port: 2 }, 1), at: { kind: 'port', bind: undefined, port: 1 } }),
    '*:1 -> [::1]:2',
  );
  t.equal(describeForward(localSpec({ host: 'host', port: 2 }, 1, '::1')), '[::1]:1 -> host:2');
  const socket = { kind: 'unix', path: '/run/db.sock' } as const;
  t.equal(
    describeForward({ ...localSpec({ host: '/run/pg.sock', port: 0 }), at: socket }),
    '/run/db.sock -> /run/pg.sock',
  );
  const descriptor = { kind: 'descriptor', fd: 3, name: 'web' } as const;
  t.equal(describeForward({ kind: 'dynamic', at: descriptor }), 'fd/web -> any target');
  t.equal(
    describeForward({ kind: 'reverse', at: { kind: 'port', bind: undefined, port: 80 }, target: ssh }),
    '*:80 of the server -> 127.0.0.1:22 here',
  );
});

import t from 'tap';
import { describeForward } from '../../../src/tunnel/client/forward-spec.js';

t.test('a forward is described by where it listens and where it leads', async (t) => {
  const ssh = { host: '127.0.0.1', port: 22 };
  t.equal(describeForward({ bind: '127.0.0.1', port: 1, target: ssh }), '127.0.0.1:1 -> 127.0.0.1:22');
  t.equal(describeForward({ bind: undefined, port: 1, target: { host: '::1', port: 2 } }), '*:1 -> [::1]:2');
  t.equal(describeForward({ bind: '::1', port: 1, target: { host: 'host', port: 2 } }), '[::1]:1 -> host:2');
});

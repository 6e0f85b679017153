import t from 'tap';
import { parseListenPermission } from '../../../src/engine/access/listen-permission.js';
import { samePortsForAll } from '../../../src/engine/server/listen-policy.js';

t.test('a server in the foreground has the same ports for every client, and names the option for others', async (t) => {
  const mayListen = samePortsForAll(['8080', '*:0'].map(parseListenPermission));
  t.same(mayListen('one', { bind: 'localhost', port: 8080 }), { allowed: true });
  t.same(mayListen('another', { bind: undefined, port: 9000 }), { allowed: true });
  t.same(mayListen('one', { bind: undefined, port: 80 }), {
    allowed: false,
    reason: "this server permits it with --allow-reverse '*:80'",
  });
  t.match(samePortsForAll([])('one', { bind: 'localhost', port: 8080 }), { allowed: false });
});

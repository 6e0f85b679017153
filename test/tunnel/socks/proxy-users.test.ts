import t from 'tap';
import { ProxyUsers } from '../../../src/tunnel/socks/proxy-users.js';

t.test('only a user with their own password is admitted', async (t) => {
  const users = new ProxyUsers([
    { name: 'ann', password: 'one' },
    { name: 'bob', password: '' },
  ]);
  const admits = (name: string, password: string): boolean =>
    users.admits({ name: Buffer.from(name), password: Buffer.from(password) });
  t.ok(admits('ann', 'one') && admits('bob', ''));
  for (const [name, password] of [
    ['ann', ''],
    ['bob', 'one'],
    ['ann', 'one '],
    ['an', 'none'],
    ['anno', 'ne'],
    ['', ''],
  ] as const)
    t.notOk(admits(name, password), `${name}:${password}`);
});

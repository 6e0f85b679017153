import t from 'tap';
import { takeListenDescriptors } from '../../../src/platform/service-manager/listen-descriptors.js';

const passed = { LISTEN_PID: '7', LISTEN_FDS: '3', LISTEN_FDNAMES: 'web:db', HOME: '/root' };

t.test('the descriptors of systemd begin at 3 and have names', async (t) => {
  const env: NodeJS.ProcessEnv = { ...passed };
  t.strictSame(takeListenDescriptors({ env, pid: 7 }), [
    { fd: 3, name: 'web' },
    { fd: 4, name: 'db' },
    { fd: 5, name: 'unknown' },
  ]);
  t.strictSame(env, { HOME: '/root' }, 'children do not take them for their own');
});

t.test('descriptors of another process, or none, are not taken', async (t) => {
  for (const change of [
    { LISTEN_PID: '8' },
    { LISTEN_PID: undefined },
    { LISTEN_FDS: 'x' },
    { LISTEN_FDS: undefined },
  ]) {
    const env: NodeJS.ProcessEnv = { ...passed, ...change };
    t.strictSame(takeListenDescriptors({ env, pid: 7 }), [], JSON.stringify(change));
    t.strictSame(env, { HOME: '/root' });
  }
});

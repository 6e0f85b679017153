import t from 'tap';
import { silentLogger } from '../../../src/base/logger.js';
import { portLog } from '../../../src/engine/client/port-log.js';

const AT = { kind: 'port', bind: '127.0.0.1', port: 8080 } as const;
const PORT = {
  spec: { kind: 'reverse', at: { ...AT, port: 0 }, target: { host: '127.0.0.1', port: 80 } },
  at: AT,
} as const;
const inUse = { kind: 'refused', code: 'address-in-use', message: 'another program has it' } as const;
const listening = { kind: 'listening', port: 8080 } as const;

t.test(
  'a port whose programs name their targets has a warning that says who can, unless there are users',
  async (t) => {
    const warned = (bind: string | undefined, users?: readonly { name: string; password: string }[]): string[] => {
      const lines: string[] = [];
      const at = { kind: 'port', bind, port: 8080 } as const;
      portLog(
        { spec: { kind: 'reverse', at, users }, at },
        { ...silentLogger, warn: (text) => void lines.push(text) },
      )(listening);
      return lines;
    };
    for (const bind of ['localhost', '127.0.0.1', '::1'])
      t.match(warned(bind), [/^every program of the server can reach/]);
    for (const bind of [undefined, '192.0.2.1', 'nas.lan'])
      t.match(warned(bind), [/^everybody who reaches that port can/]);
    t.same(warned(undefined, [{ name: 'ann', password: 'canary' }]), []);
  },
);

t.test('a refusal is logged once while it stays the same, and again after the server has listened', async (t) => {
  const lines: string[] = [];
  const push = (text: string): void => void lines.push(text);
  const note = portLog(PORT, { ...silentLogger, info: push, warn: push });
  for (const state of [{ kind: 'asking' } as const, inUse, inUse, listening, inUse, { ...inUse, message: 'other' }])
    note(state);
  t.same(lines, [
    'another program has it',
    'the server listens on 127.0.0.1:8080 for 127.0.0.1:80 here',
    'another program has it',
    'other',
  ]);
});

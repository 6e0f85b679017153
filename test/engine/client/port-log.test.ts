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

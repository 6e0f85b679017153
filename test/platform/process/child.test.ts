import { once } from 'node:events';
import t from 'tap';
import { trySpawn } from '../../../src/platform/process/child.js';
import { failCall } from '../../support/failing-calls.js';

t.test(
  'a program starts, or the reason comes back: at once where there is no memory, later where there is no descriptor',
  async (t) => {
    const child = trySpawn('true', [], { env: {}, stdio: 'ignore' });
    if (child instanceof Error) throw child;
    t.same(await once(child, 'close'), [0, null]);
    failCall('child_process.spawn', 'ENOMEM');
    t.match(trySpawn('true', [], { env: {} }), { code: 'ENOMEM' });
    failCall('child_process.spawn', 'EMFILE');
    const later = trySpawn('true', [], { env: {}, stdio: ['pipe', 'ignore', 'pipe'] });
    if (later instanceof Error) throw later;
    t.notOk(later.stdin ?? later.stderr, 'it has no pipes');
    t.match(await once(later, 'error'), [{ code: 'EMFILE' }]);
  },
);

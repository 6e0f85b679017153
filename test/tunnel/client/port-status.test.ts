import t from 'tap';
import { PortStatus } from '../../../src/tunnel/client/port-status.js';

t.test('who watches learns the state now, and each change until it ends to watch', (t) => {
  const status = new PortStatus();
  const seen: string[] = [];
  const end = status.watch(({ kind }) => void seen.push(kind));
  status.change({ kind: 'listening', port: 8080 });
  end();
  status.change({ kind: 'asking' });
  t.same(seen, ['asking', 'listening']);
  t.same(status.state, { kind: 'asking' });
  t.end();
});

t.test('traffic is no change of the state', (t) => {
  const status = new PortStatus();
  let [changes, traffic] = [0, 0];
  status.watch(() => {
    changes += 1;
  });
  status.onTraffic(() => {
    traffic += 1;
  });
  status.noteTraffic();
  t.same([changes, traffic], [1, 1]);
  t.end();
});

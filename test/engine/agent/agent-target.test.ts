import t from 'tap';
import { encodeRequest, parseRequest } from '../../../src/agent/messages.js';
import { agentTarget, tunnelTarget } from '../../../src/engine/agent/agent-target.js';

t.test('every kind of target comes to the agent as it is', async (t) => {
  const host = { toxId: 'F4'.repeat(38) };
  for (const target of [
    { host: '127.0.0.1', port: 22 },
    { host: 'ssh', port: 0 },
    { host: '/run/a.sock', port: 0 },
    { host: '127.0.0.1', port: 53, protocol: 'udp' },
    { host: 'dns', port: 0, protocol: 'udp' },
  ] as const) {
    const parsed = parseRequest(encodeRequest({ ask: 'open', host, target: agentTarget(target) }));
    if (parsed.kind !== 'request' || parsed.request.ask !== 'open') throw new Error(JSON.stringify(parsed));
    t.match(tunnelTarget(parsed.request.target), target);
  }
  t.strictSame(agentTarget({ host: '/run/a.sock', port: 0 }), { path: '/run/a.sock' });
});

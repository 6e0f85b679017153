/**
 * An agent without a network: every tunnel that it opens leads to a port of this machine. What a client needs from exec to its first
 * byte, and what passes the socket in a second, is then that of the client and the socket alone.
 *
 *     hop.js STATE_DIRECTORY PORT     the directory is that of the client's user; prints "ready"
 */
import { connect } from 'node:net';
import { agentPlaces } from '../../src/agent/socket-file.js';
import { systemClock } from '../../src/base/clock.js';
import { silentLogger } from '../../src/base/logger.js';
import { systemRandom } from '../../src/base/random.js';
import { AgentServer, type AgentServerDeps } from '../../src/engine/agent/agent-server.js';
import { PublicKey } from '../../src/tox/crypto/keys.js';
import type { OpenHandlers } from '../../src/tunnel/link/outgoing-requests.js';
import type { LocalEnd } from '../../src/tunnel/stream/local-end.js';

const [state = '', port = '0'] = process.argv.slice(2);

/** What the agent asks of a server that is connected. */
const server = {
  isOnline: true,
  watch: (listener: (event: object) => void) => {
    listener({ event: 'connected', path: 'direct' });
    return () => {};
  },
  onChange: () => () => {},
  open: (_: unknown, handlers: OpenHandlers) => {
    const target = connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true, noDelay: true }, () => {
      const { source, sink } = handlers.onAccepted() as LocalEnd;
      source.pipe(target).pipe(sink);
    });
    return () => target.destroy();
  },
};
const pool = {
  find: () => server,
  hold: () => ({ server, release: () => {} }),
  list: () => [],
} as unknown as AgentServerDeps['pool'];

const agent = new AgentServer(
  { clock: systemClock, random: systemRandom, log: silentLogger, pool, stop: () => undefined },
  {
    places: agentPlaces({ state, runtime: undefined }),
    program: 'hop',
    pid: process.pid,
    ownKey: new PublicKey(Buffer.alloc(32)),
  },
);
await agent.start();
console.log('ready');
process.stdin.once('close', () => process.exit()).resume();

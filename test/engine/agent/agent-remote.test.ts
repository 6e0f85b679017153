import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import t from 'tap';
import type { Conversation } from '../../../src/agent/conversation.js';
import type { AgentEvent } from '../../../src/agent/messages.js';
import { type Logger, silentLogger } from '../../../src/base/logger.js';
import { AgentRemote } from '../../../src/engine/agent/agent-remote.js';
import { ManualClock } from '../../support/manual-clock.js';

/** What the agent says before it answers a ping. */
function conversationOf(events: readonly AgentEvent[]): Conversation {
  return {
    until: async (_name: string, onOther: (event: AgentEvent) => void) => {
      for (const event of events) onOther(event);
      return { event: 'pong', ms: 5 };
    },
    close: () => {},
    onClosed: () => {},
  } as unknown as Conversation;
}

t.test('a connection is logged once, however often the agent tells it, and again on another path', async (t) => {
  const said: string[] = [];
  const log: Logger = { ...silentLogger, info: (text) => void said.push(text), warn: (text) => void said.push(text) };
  const relayed = { event: 'connected', path: 'relayed' } as const;
  const conversations = [
    [relayed, { ...relayed, rttMs: 40 }],
    [
      { ...relayed, rttMs: 40 },
      { event: 'connected', path: 'direct', rttMs: 5 },
    ],
    [{ event: 'disconnected' }, { event: 'connected', path: 'direct' }],
  ].map(conversationOf);
  const begin = async (): Promise<Conversation> => conversations.shift() as Conversation;
  const remote = new AgentRemote(
    { clock: new ManualClock(), log, connectionLog: log, begin },
    {
      host: { toxId: '' },
      name: 'nas',
      retry: { timeout: undefined, maxRetries: 0 },
      isLasting: false,
    },
  );
  for (let count = 0; count < 3; count += 1) t.equal(await remote.ping(), 5);
  t.same(said, [
    'connected to nas, relayed',
    'connected to nas, direct',
    'lost the connection to nas, searching for it again',
    'connected to nas, direct',
  ]);
  remote.close();
});

t.test('connections that have named no target yet count to the limit of all local ports', async (t) => {
  const sockets: Socket[] = [];
  const remote = new AgentRemote(
    {
      clock: new ManualClock(),
      ...{ log: silentLogger, connectionLog: silentLogger, begin: () => new Promise<never>(() => {}) },
    },
    { host: { toxId: '' }, name: 'nas', retry: { timeout: undefined, maxRetries: 0 }, isLasting: false },
  );
  t.teardown(() => {
    remote.close();
    for (const socket of sockets) socket.destroy();
  });
  const at = { kind: 'port', bind: '127.0.0.1', port: 0 } as const;
  const ports = [
    (await remote.forward({ kind: 'dynamic', at })).port,
    (await remote.forward({ kind: 'local', at, target: { host: 'h', port: 1 } })).port,
  ];
  const begin = (port = 0): Socket => {
    const socket = connect({ host: '127.0.0.1', port }).on('error', () => {});
    sockets.push(socket);
    return socket;
  };
  for (let count = 0; count < 1_024; count += 1) await once(begin(ports[count % 2]), 'connect');
  t.equal(await new Promise((resolve) => begin(ports[0]).once('close', resolve)), true, 'the next one is reset');
});

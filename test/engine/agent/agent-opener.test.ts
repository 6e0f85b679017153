import t from 'tap';
import { AgentError } from '../../../src/agent/conversation.js';
import { silentLogger } from '../../../src/base/logger.js';
import { AgentOpener } from '../../../src/engine/agent/agent-opener.js';
import type { Reason } from '../../../src/tunnel/wire/reasons.js';

const UDP = { host: '127.0.0.1', port: 53, protocol: 'udp' } as const;

/** An opener whose agent refuses every tunnel. */
function refusing(code: string) {
  const opener = new AgentOpener({
    log: silentLogger,
    begin: async () => {
      throw new AgentError(code, 'refused');
    },
  });
  const ask = (): Promise<Reason> =>
    new Promise((resolve) => {
      const onAccepted = (): never => {
        throw new Error('accepted');
      };
      opener.open(UDP, { onAccepted, onRefused: resolve });
    });
  return { opener, ask };
}

t.test('a server that refuses UDP as upstream does is known to be so until its session ends', async (t) => {
  const { opener, ask } = refusing('no-extension');
  t.equal(opener.terms, 'unknown');
  t.equal(await ask(), 'no-extension');
  t.equal(opener.terms, 'upstream');
  opener.onDisconnected();
  t.equal(opener.terms, 'unknown');
});

t.test('another refusal tells nothing of the server', async (t) => {
  const { opener, ask } = refusing('not-allowed');
  t.equal(await ask(), 'not-allowed');
  t.equal(opener.terms, 'unknown');
});

t.test('an error that is no reason of a tunnel counts as an absent server', async (t) => {
  t.equal(await refusing('no-such-host').ask(), 'peer-offline');
  t.equal(await refusing('agent-ended').ask(), 'connection-lost');
});

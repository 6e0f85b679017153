import t from 'tap';
import { FloodLog } from '../../../src/base/flood-log.js';
import { silentLogger } from '../../../src/base/logger.js';
import { PeerLog } from '../../../src/tunnel/link/peer-log.js';
import { ManualClock } from '../../support/manual-clock.js';

function setUp() {
  const clock = new ManualClock();
  const lines: string[] = [];
  const log = { ...silentLogger, info: (text: string) => void lines.push(text) };
  const names: Record<string, string> = { aa: 'laptop', bb: 'phone' };
  const peerLog = new PeerLog(new FloodLog({ clock, log }), (peerId) => names[peerId] ?? peerId);
  return { clock, lines, names, peerLog };
}

t.test('a line begins with the name that the peer has now', async (t) => {
  const { lines, names, peerLog } = setUp();
  peerLog.say('aa', 'tunnel opened', 'tunnel opened');
  names.aa = 'desk';
  peerLog.say('aa', 'tunnel opened', 'tunnel opened');
  t.same(lines, ['laptop: tunnel opened', 'desk: tunnel opened']);
  t.equal(peerLog.textOf('cc', 'gone'), 'cc: gone');
});

t.test('the lines of a flood are counted under the name of the peer, and those of another peer appear', async (t) => {
  const { clock, lines, peerLog } = setUp();
  for (let count = 0; count < 205; count += 1) peerLog.say('aa', 'request refused', 'refused');
  peerLog.say('bb', 'request refused', 'refused');
  t.equal(lines.length, 201);
  t.equal(lines.at(-1), 'phone: refused');
  clock.advance(60_000);
  t.match(lines.at(-1), /^laptop: .*also 5 requests refused$/);
});

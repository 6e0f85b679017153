import t from 'tap';
import { type ChannelFriend, openChannels } from '../../../src/engine/network/tox-channel.js';
import { generateKeyPair } from '../../../src/tox/crypto/key-pair.js';
import type { Presence } from '../../../src/tox/messenger.js';
import type { PeerChannel } from '../../../src/tunnel/wire/peer-channel.js';
import { SeededRandom } from '../../support/seeded-random.js';

class TestFriend implements ChannelFriend {
  readonly publicKey = generateKeyPair(new SeededRandom(1)).publicKey;
  readonly sent: Buffer[] = [];
  hasRoom = true;
  packetSize = 1373;
  silence = 0;
  presence = (_presence: Presence, _reason: string): void => {};
  lossless = (_packet: Buffer): void => {};
  lossy = (_packet: Buffer): void => {};
  drain = (): void => {};

  readonly writable = (): void => this.presence('writable', '');
  readonly online = (): void => this.presence('online', '');
  readonly offline = (reason: string): void => this.presence('offline', reason);

  sendLossless(packet: Buffer): boolean {
    if (this.hasRoom) this.sent.push(packet);
    return this.hasRoom;
  }
  sendLossy(packet: Buffer): boolean {
    return this.sendLossless(packet);
  }
  onPresence(listener: TestFriend['presence']): void {
    this.presence = listener;
  }
  onLossless(listener: (packet: Buffer) => void): void {
    this.lossless = listener;
  }
  onLossy(listener: (packet: Buffer) => void): void {
    this.lossy = listener;
  }
  onDrain(listener: () => void): void {
    this.drain = listener;
  }
}

function setUp(): { friend: TestFriend; channels: PeerChannel[]; events: string[] } {
  const friend = new TestFriend();
  const channels: PeerChannel[] = [];
  const events: string[] = [];
  openChannels(friend, {
    onOpen: (channel) => {
      const name = channels.push(channel);
      channel.receive({
        onPacket: (packet) => events.push(`${name} ${packet}`),
        onLossy: (packet) => events.push(`${name} lossy ${packet}`),
        onDrain: () => events.push(`${name} drain`),
        onClose: () => events.push(`${name} close`),
      });
    },
    onClose: () => events.push('over'),
  });
  return { friend, channels, events };
}

t.test('each session of a friend is a channel of its own', async (t) => {
  const { friend, channels, events } = setUp();
  friend.lossless(Buffer.from('too early'));
  friend.online();
  friend.lossless(Buffer.from('a'));
  friend.offline('');
  friend.lossless(Buffer.from('too late'));
  friend.drain();
  friend.online();
  friend.lossless(Buffer.from('b'));
  friend.drain();
  t.same(events, ['1 a', '1 close', 'over', '2 b', '2 drain']);
  t.same(
    channels.map(({ peerId, maxPacketSize }) => [peerId, maxPacketSize]),
    [
      [friend.publicKey.hex, 1373],
      [friend.publicKey.hex, 1373],
    ],
  );
});

t.test('a channel takes packets of the size that the path takes at that moment', async (t) => {
  const { friend, channels } = setUp();
  friend.online();
  t.equal(channels[0]?.maxPacketSize, 1373);
  friend.packetSize = 1141;
  t.equal(channels[0]?.maxPacketSize, 1141);
});

t.test('a channel is as silent as its session, and for ever when it is closed', async (t) => {
  const { friend, channels } = setUp();
  friend.online();
  friend.silence = 700;
  t.equal(channels[0]?.silence, 700);
  friend.online();
  t.equal(channels[0]?.silence, Number.POSITIVE_INFINITY);
});

t.test('a session that starts again without an end closes the old channel first', async (t) => {
  const { friend, events } = setUp();
  friend.online();
  friend.online();
  t.same(events, ['1 close', 'over']);
});

t.test('a full friend takes nothing, and a closed channel discards everything', async (t) => {
  const { friend, channels } = setUp();
  friend.online();
  const [channel] = channels;
  t.ok(channel?.send(Buffer.from('a')));
  friend.hasRoom = false;
  t.notOk(channel?.send(Buffer.from('b')));
  friend.offline('');
  t.ok(channel?.send(Buffer.from('c')));
  t.same(friend.sent.map(String), ['a']);
});

t.test('lossy packets belong to one session, and those of a closed one are lost', async (t) => {
  const { friend, channels, events } = setUp();
  friend.lossy(Buffer.from('too early'));
  friend.online();
  const [channel] = channels;
  friend.lossy(Buffer.from('a'));
  t.ok(channel?.sendLossy(Buffer.from('b')));
  friend.hasRoom = false;
  t.notOk(channel?.sendLossy(Buffer.from('c')));
  friend.hasRoom = true;
  friend.offline('');
  friend.lossy(Buffer.from('too late'));
  t.notOk(channel?.sendLossy(Buffer.from('d')));
  t.same(events, ['1 lossy a', '1 close', 'over']);
  t.same(friend.sent.map(String), ['b']);
});

/** Somebody else who uses the friend. */
function secondUser(friend: TestFriend) {
  const channels: PeerChannel[] = [];
  let ends = 0;
  const onClose = (): void => {
    ends += 1;
  };
  const leave = openChannels(friend, { onOpen: (channel) => void channels.push(channel), onClose });
  return { channels, leave, ends: () => ends };
}

t.test('two users of a friend share its channels', async (t) => {
  const { friend, channels, events } = setUp();
  const second = secondUser(friend);
  friend.online();
  friend.offline('');
  friend.online();
  t.equal(channels.length, 2);
  t.strictSame(second.channels, channels);
  t.equal(second.ends(), 1);
  t.same(events, ['1 close', 'over']);
});

t.test('one that comes during a session gets its channel, and one that goes ends nothing for the other', async (t) => {
  const { friend, channels, events } = setUp();
  friend.online();
  const second = secondUser(friend);
  await Promise.resolve();
  t.strictSame(second.channels, channels);
  second.leave();
  t.equal(second.ends(), 1);
  friend.lossless(Buffer.from('a'));
  friend.offline('');
  t.same(events, ['1 a', '1 close', 'over']);
  t.equal(second.ends(), 1, 'not told twice');
});

/** Somebody who writes before the friend is online. */
function earlyUser(friend: TestFriend) {
  const early: PeerChannel[] = [];
  const open: PeerChannel[] = [];
  const ends: string[] = [];
  openChannels(friend, {
    onWritable: (channel) => {
      early.push(channel);
      const onClose = (): void => void ends.push('channel closed');
      channel.receive({ onPacket: () => {}, onLossy: () => {}, onDrain: () => {}, onClose });
    },
    onOpen: (channel) => void open.push(channel),
    onClose: () => void ends.push('over'),
  });
  return { early, open, ends };
}

t.test('what is sent before the friend is online goes through the channel of its session', async (t) => {
  const friend = new TestFriend();
  const { early, open, ends } = earlyUser(friend);
  friend.writable();
  t.equal(early.length, 1);
  t.ok(early[0]?.send(Buffer.from('a')));
  t.same(open, [], 'the friend is not online yet');
  friend.online();
  t.strictSame(open, early);
  friend.offline('');
  t.same(ends, ['channel closed', 'over']);
});

t.test('the channel of a friend that does not become online closes, and the next one is another', async (t) => {
  const friend = new TestFriend();
  const { early, open, ends } = earlyUser(friend);
  friend.writable();
  friend.offline('');
  t.same(ends, ['channel closed']);
  friend.writable();
  friend.online();
  t.equal(early.length, 2);
  t.not(early[0], early[1]);
  t.strictSame(open, [early[1]]);
});

t.test('a friend that others use, who may have to admit it first, is written to when it is online', async (t) => {
  const { friend, channels } = setUp();
  const { early, open } = earlyUser(friend);
  friend.writable();
  t.same(early, []);
  friend.online();
  t.strictSame(open, channels);
});

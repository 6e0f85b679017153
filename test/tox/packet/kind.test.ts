import t from 'tap';
import { CryptoKind, DhtRequestKind, FriendKind, OnionDataKind, UdpKind } from '../../../src/tox/packet/kind.js';

t.test('no two kinds of a table are the same byte', async (t) => {
  for (const table of [UdpKind, DhtRequestKind, OnionDataKind, CryptoKind]) {
    const kinds: readonly number[] = Object.values(table);
    t.equal(new Set(kinds).size, kinds.length);
    t.ok(kinds.every((kind) => Number.isInteger(kind) && kind >= 0 && kind <= 255));
  }
});

t.test('the kinds of datagrams equal those of c-toxcore (network.h)', async (t) => {
  t.same(
    Object.values(UdpKind).map((kind) => kind.toString(16)),
    // biome-ignore format: one group of packets a line
    [
      '0', '1', '2', '4',
      '18', '19', '1a', '1b',
      '20', '21',
      '80', '81', '82', '83', '84', '85', '86', '87', '88', '8c', '8d', '8e',
      'f0',
    ],
  );
});

t.test('packets of friends are lossless, and tuntox uses the custom range', async (t) => {
  for (const kind of [FriendKind.Alive, FriendKind.ShareRelays, FriendKind.Online, FriendKind.Offline]) {
    t.ok(kind >= CryptoKind.FirstLossless && kind < FriendKind.FirstCustomLossless);
  }
  const tuntox = 0xa2;
  t.ok(tuntox >= FriendKind.FirstCustomLossless && tuntox <= FriendKind.LastCustomLossless);
  t.ok(FriendKind.LastCustomLossless <= CryptoKind.LastLossless);
});

import t from 'tap';
import { Endpoint } from '../../src/base/endpoint.js';
import { generateKeyPair } from '../../src/tox/crypto/key-pair.js';
import type { PublicKey } from '../../src/tox/crypto/keys.js';
import { ToxId } from '../../src/tox/crypto/tox-id.js';
import { encodeSavedFriend, SAVED_FRIEND_SIZE, type SavedFriend } from '../../src/tox/saved-friend.js';
import { decodeSavedata, encodeSavedata, newSavedata, type Savedata } from '../../src/tox/savedata.js';
import { decodeSections, encodeSections, SavedataError, SectionType } from '../../src/tox/savedata-sections.js';
import { mutations } from '../support/fuzz.js';
import { confirmedFriend } from '../support/saved-friend.js';
import { SeededRandom } from '../support/seeded-random.js';
import { readHexVector } from '../support/vectors.js';

const libtoxcores = readHexVector('libtoxcore-0.2.18.tox_save.hex');

const newPublicKey = (random: SeededRandom): PublicKey => generateKeyPair(random).publicKey;
const endpoint = (address: string, port: number): Endpoint => Endpoint.of(address, port) as Endpoint;
const idOf = ({ identity }: Savedata): string => new ToxId(identity.publicKey, identity.nospam).toString();

/** Everything of a Savedata as text, with the secret, for comparison. */
const plain = (savedata: Savedata): unknown => ({
  ...JSON.parse(JSON.stringify(savedata, (_, value) => (typeof value === 'bigint' ? String(value) : value))),
  secret: savedata.identity.secretKey.bytes.toString('hex'),
});

function fullSavedata(seed: number): Savedata {
  const random = new SeededRandom(seed);
  const asked: SavedFriend = {
    status: 'requested',
    publicKey: newPublicKey(random),
    requestMessage: random.bytes(1024),
    nospam: random.bytes(4),
    name: random.bytes(128),
    statusMessage: random.bytes(1007),
    userStatus: 2,
    lastSeen: 0xffff_ffff_ffff_ffffn,
  };
  return {
    ...newSavedata(random),
    friends: [
      asked,
      confirmedFriend(newPublicKey(random)),
      { ...asked, status: 'added', publicKey: newPublicKey(random) },
    ],
    name: Buffer.from('Ada'),
    statusMessage: Buffer.from('by the lake'),
    userStatus: 1,
    dhtNodes: [
      { publicKey: newPublicKey(random), endpoint: endpoint('192.0.2.1', 33445) },
      { publicKey: newPublicKey(random), endpoint: endpoint('2001:db8::1', 1) },
    ],
    relays: [{ publicKey: newPublicKey(random), endpoint: endpoint('2001:db8::2', 443) }],
    pathNodes: [{ publicKey: newPublicKey(random), endpoint: endpoint('192.0.2.3', 65535) }],
    unknownSections: [
      { type: 20, content: random.bytes(70) },
      { type: 7, content: random.bytes(9) },
      { type: 20, content: Buffer.alloc(0) },
      { type: 4711, content: random.bytes(1) },
    ],
  };
}

const faultOf = (bytes: Buffer): { code: string; message: string } | undefined => {
  try {
    decodeSavedata(bytes);
    return undefined;
  } catch (error) {
    if (!(error instanceof SavedataError)) throw error;
    return { code: error.code, message: error.message };
  }
};

t.test('a file of libtoxcore is read', async (t) => {
  const savedata = decodeSavedata(libtoxcores);
  t.equal(idOf(savedata), 'FC50F2DBC03E4BA660B783F1D40F544BC6F0BCEA9D213AC05E01800281D3B41D5F6B15FE9AB2');
  t.equal(savedata.name.toString(), 'Ada');
  t.equal(savedata.statusMessage.toString(), 'by the lake');
  t.equal(savedata.userStatus, 1);
  const [asked, met] = savedata.friends;
  t.equal(savedata.friends.length, 2);
  t.equal(asked?.publicKey.hex, 'A2A782E0908CBA481D7180522189D2BB31DF8DAC1FB14E7613111BE75DE5531F');
  t.equal(asked?.status, 'requested');
  t.equal(asked?.requestMessage.toString(), 'let me in');
  t.equal(asked?.nospam.toString('hex'), '44d2c424');
  t.equal(met?.publicKey.hex, '2BF88F2D80AB953B8833649EAFBB03276187707497BC4DC4DA4387E365258F37');
  t.equal(met?.status, 'confirmed');
  t.equal(met?.name.toString(), 'Grace');
  t.equal(met?.lastSeen, 1795353546n);
  t.equal(savedata.dhtNodes.length, 6, 'libtoxcore lists a node once for each list that has it');
  t.same(new Set(savedata.dhtNodes.map(({ endpoint }) => endpoint.key)), new Set(['127.0.0.1:33446', '[::1]:33447']));
  t.same(
    savedata.pathNodes.map(({ endpoint }) => endpoint.key),
    ['[::1]:33447', '127.0.0.1:33445', '127.0.0.1:33446'],
  );
  t.same(savedata.unknownSections, [{ type: 20, content: Buffer.alloc(0) }]);
});

t.test('a file of libtoxcore is written again byte for byte, except for the zeros at its end', async (t) => {
  const written = encodeSavedata(decodeSavedata(libtoxcores));
  t.ok(written.equals(libtoxcores.subarray(0, written.length)));
  t.ok(libtoxcores.subarray(written.length).every((byte) => byte === 0));
});

t.test('everything written is read back', async (t) => {
  for (let seed = 0; seed < 5; seed += 1) {
    const savedata = fullSavedata(seed);
    const written = encodeSavedata(savedata);
    t.same(plain(decodeSavedata(written)), plain(savedata));
    t.ok(encodeSavedata(decodeSavedata(written)).equals(written));
  }
});

t.test('unknown sections are preserved in their order', async (t) => {
  const { unknownSections } = fullSavedata(1);
  const [keys] = decodeSections(libtoxcores);
  t.ok(keys);
  if (keys === undefined) return;
  const [first, ...others] = unknownSections;
  const bytes = encodeSections([first as never, keys, ...others]);
  t.same(decodeSavedata(bytes).unknownSections, unknownSections);
  t.same(decodeSavedata(encodeSavedata(decodeSavedata(bytes))).unknownSections, unknownSections);
});

t.test('the identity alone is enough, with or without END, and with zeros after it', async (t) => {
  const savedata = newSavedata(new SeededRandom(2));
  const withEnd = encodeSections(decodeSections(encodeSavedata(savedata)).slice(0, 1));
  t.equal(withEnd.length, 8 + 8 + 68 + 8);
  const withoutEnd = withEnd.subarray(0, -8);
  const zeros = Buffer.alloc(333);
  for (const bytes of [withEnd, withoutEnd, Buffer.concat([withEnd, zeros]), Buffer.concat([withoutEnd, zeros])]) {
    t.same(plain(decodeSavedata(bytes)), plain(savedata));
  }
});

t.test('the result shares no memory with the file, so that the caller may wipe it', async (t) => {
  const written = encodeSavedata(fullSavedata(3));
  const savedata = decodeSavedata(written);
  const before = plain(savedata);
  written.fill(0);
  t.same(plain(savedata), before);
});

t.test('a new identity has matching keys, and no two are the same', async (t) => {
  const random = new SeededRandom(4);
  const [a, b] = [newSavedata(random), newSavedata(random)];
  t.ok(a.identity.secretKey.publicKey().equals(a.identity.publicKey));
  t.not(idOf(a), idOf(b));
  t.notOk(a.identity.nospam.equals(b.identity.nospam));
});

t.test('a file with a password is reported as such', async (t) => {
  const fault = faultOf(Buffer.concat([Buffer.from('toxEsave'), Buffer.alloc(200, 7)]));
  t.match(fault, { code: 'encrypted', message: /password/ });
});

t.test('another file is distinguished from a damaged tox_save', async (t) => {
  t.match(faultOf(Buffer.alloc(0)), { code: 'not-a-tox-save', message: /empty/ });
  for (const bytes of ['#!/bin/sh\n', 'toxEsav', '\0\0\0\0', '\0\0\0\0\0\0\0\0']) {
    t.match(faultOf(Buffer.from(bytes)), { code: 'not-a-tox-save' });
  }
});

t.test('a file that was cut off anywhere is corrupt, or still has its identity', async (t) => {
  const id = idOf(decodeSavedata(libtoxcores));
  let readable = 0;
  for (let length = 8; length < libtoxcores.length; length += 1) {
    const bytes = libtoxcores.subarray(0, length);
    const fault = faultOf(bytes);
    if (fault === undefined) {
      readable += 1;
      t.equal(idOf(decodeSavedata(bytes)), id);
    } else if (fault.code !== 'corrupt') t.fail(`cut to ${length} bytes: ${fault.code}`);
  }
  t.ok(readable > 0);
});

t.test('the message names the damage', async (t) => {
  const sections = decodeSections(encodeSavedata(fullSavedata(5)));
  const [keys, , friends] = sections as [(typeof sections)[0], (typeof sections)[0], (typeof sections)[0]];
  const damage = (content: Buffer, at: number, byte: number): Buffer => {
    const copy = Buffer.from(content);
    copy[at] = byte;
    return copy;
  };
  const cases: readonly (readonly [RegExp, Buffer])[] = [
    [/no section with the keys/, encodeSections(sections.slice(1))],
    [/two sections with keys/, encodeSections([keys, keys])],
    [/67 bytes instead of 68/, encodeSections([{ ...keys, content: keys.content.subarray(1) }])],
    [
      /do not belong together/,
      encodeSections([{ ...keys, content: damage(keys.content, 40, ~keys.content[40]! & 255) }]),
    ],
    [/list of friends/, encodeSections([keys, { ...friends, content: friends.content.subarray(1) }])],
    [
      /text of 65285 bytes/,
      encodeSections([keys, { ...friends, content: damage(friends.content, 1058, 255).fill(5, 1059, 1060) }]),
    ],
    [/DHT section/, encodeSections([keys, { type: SectionType.Dht, content: Buffer.from('what') }])],
    [/damaged at byte 84/, Buffer.concat([encodeSections([keys]).subarray(0, -8), Buffer.alloc(8, 1)])],
    [/section 1 has 60 of 68 bytes/, encodeSections([keys]).subarray(0, -16)],
    [/cut off in the header of a section at byte 84/, encodeSections([keys]).subarray(0, -1)],
  ];
  for (const [message, bytes] of cases) t.match(faultOf(bytes), { code: 'corrupt', message });
});

t.test('no message contains bytes of the file', async (t) => {
  const canary = Buffer.alloc(68, 'CANARY');
  const bytes = encodeSections([{ type: SectionType.Identity, content: canary }]);
  t.notMatch(faultOf(bytes)?.message, /CANARY|43414e/i);
});

t.test('the states of a friend are those of c-toxcore', async (t) => {
  const friend = confirmedFriend(newPublicKey(new SeededRandom(6)));
  const [keys] = decodeSections(libtoxcores);
  const statusAfter = (byte: number): string | undefined => {
    const record = encodeSavedFriend(friend);
    record[0] = byte;
    const bytes = encodeSections([keys as never, { type: SectionType.Friends, content: record }]);
    return decodeSavedata(bytes).friends[0]?.status;
  };
  t.equal(encodeSavedFriend(friend).length, SAVED_FRIEND_SIZE);
  t.same([0, 1, 2, 3, 4].map(statusAfter), [undefined, 'added', 'requested', 'confirmed', 'confirmed']);
});

t.test('encoding a text that is too long for its field throws', async (t) => {
  const friend = confirmedFriend(newPublicKey(new SeededRandom(7)));
  t.throws(() => encodeSavedFriend({ ...friend, name: Buffer.alloc(129) }), RangeError);
});

t.test('hostile bytes give a SavedataError or a Savedata that can be written again', async (t) => {
  const samples = [libtoxcores, encodeSavedata(fullSavedata(8)), encodeSavedata(newSavedata(new SeededRandom(9)))];
  let refused = 0;
  let read = 0;
  for (const bytes of mutations(10, samples, 6000)) {
    if (faultOf(bytes) !== undefined) refused += 1;
    else {
      read += 1;
      const written = encodeSavedata(decodeSavedata(bytes));
      if (!encodeSavedata(decodeSavedata(written)).equals(written)) t.fail('not stable');
    }
  }
  t.ok(refused > 1000, `refused ${refused}`);
  t.ok(read > 100, `read ${read}`);
});

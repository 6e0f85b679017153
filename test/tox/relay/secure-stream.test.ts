import t from 'tap';
import { sharedKey } from '../../../src/tox/crypto/box.js';
import { generateKeyPair } from '../../../src/tox/crypto/key-pair.js';
import { answerHandshake, beginHandshake, type SessionKeys } from '../../../src/tox/relay/handshake.js';
import { SecureStream } from '../../../src/tox/relay/secure-stream.js';
import { mutations } from '../../support/fuzz.js';
import { SeededRandom } from '../../support/seeded-random.js';

/** What both ends of a handshake have. */
function sessions(seed: number): [SessionKeys, SessionKeys] {
  const random = new SeededRandom(seed);
  const [client, relay] = [generateKeyPair(random), generateKeyPair(random)];
  const begun = beginHandshake(random, client.publicKey, sharedKey(relay.publicKey, client.secretKey));
  const answered = answerHandshake(random, relay, begun.greeting);
  if (answered === undefined) throw new Error('refused');
  return [begun.finish(answered.reply) as SessionKeys, answered.session];
}

interface TestStream {
  readonly stream: SecureStream;
  readonly wire: Buffer[];
  readonly packets: string[];
  hasRoom: boolean;
}

function streamOf(session: SessionKeys): TestStream {
  const wire: Buffer[] = [];
  const packets: string[] = [];
  const made: TestStream = {
    wire,
    packets,
    hasRoom: true,
    stream: new SecureStream(
      {
        write: (bytes) => {
          wire.push(Buffer.from(bytes));
          return made.hasRoom;
        },
        onPacket: (plain) => packets.push(plain.toString('latin1')),
      },
      session,
    ),
  };
  return made;
}

function pair(seed: number): [TestStream, TestStream] {
  const [a, b] = sessions(seed);
  return [streamOf(a), streamOf(b)];
}

t.test('both ends of a handshake read each other', async (t) => {
  const [a, b] = pair(1);
  for (const text of ['one', 'two']) t.ok(a.stream.send(Buffer.from(text)));
  t.ok(b.stream.receive(Buffer.concat(a.wire)));
  t.same(b.packets, ['one', 'two']);
  b.stream.send(Buffer.from('back'));
  t.ok(a.stream.receive(Buffer.concat(b.wire)));
  t.same(a.packets, ['back']);
});

t.test('a greeting for another relay, a changed greeting and a changed answer are refused', async (t) => {
  const random = new SeededRandom(2);
  const [client, relay, other] = [generateKeyPair(random), generateKeyPair(random), generateKeyPair(random)];
  const key = sharedKey(relay.publicKey, client.secretKey);
  const begun = beginHandshake(random, client.publicKey, key);
  t.equal(answerHandshake(random, other, begun.greeting), undefined);
  for (const bytes of mutations(3, [begun.greeting], 300)) {
    if (!bytes.equals(begun.greeting)) t.equal(answerHandshake(random, relay, bytes), undefined);
  }
  const answered = answerHandshake(random, relay, begun.greeting);
  const reply = Buffer.from(answered?.reply as Buffer);
  reply[50] = (reply[50] as number) ^ 1;
  t.equal(begun.finish(reply), undefined);
});

t.test('frames may be cut anywhere', async (t) => {
  const [a, b] = pair(4);
  const texts = Array.from({ length: 20 }, (_, index) => String(index).repeat(1 + index * 7));
  for (const text of texts) a.stream.send(Buffer.from(text));
  for (const byte of Buffer.concat(a.wire)) t.ok(b.stream.receive(Buffer.from([byte])));
  t.same(b.packets, texts);
});

t.test('a changed, repeated or missing frame ends the stream', async (t) => {
  const spoil: ((frames: Buffer[]) => Buffer[])[] = [
    (frames) => [frames[0] as Buffer, frames[0] as Buffer],
    (frames) => [frames[1] as Buffer],
    (frames) => frames.map((frame) => Buffer.from(frame).fill((frame.at(-1) as number) ^ 1, frame.length - 1)),
  ];
  for (const change of spoil) {
    const [a, b] = pair(5);
    a.stream.send(Buffer.from('one'));
    a.stream.send(Buffer.from('two'));
    t.notOk(b.stream.receive(Buffer.concat(change(a.wire))));
    t.notOk(b.stream.receive(Buffer.alloc(0)), 'and stays ended');
  }
});

t.test('a frame without content or longer than 2048 bytes ends the stream before it has arrived', async (t) => {
  for (const length of [0, 16, 2049, 0xffff]) {
    const [, b] = pair(6);
    const head = Buffer.alloc(2);
    head.writeUInt16BE(length);
    t.notOk(b.stream.receive(head), String(length));
  }
});

t.test(
  'while the socket is full, packets that may get lost are refused, and control packets are sent up to a bound',
  async (t) => {
    const [a] = pair(7);
    a.hasRoom = false;
    t.ok(a.stream.send(Buffer.from('the last one')), 'taken, for the socket takes all');
    t.ok(a.stream.isFull);
    t.notOk(a.stream.send(Buffer.from('lost')));
    t.equal(a.wire.length, 1);
    t.ok(a.stream.sendControl(Buffer.from('ping')));
    t.equal(a.wire.length, 2);
    let count = 0;
    while (a.stream.sendControl(Buffer.alloc(100)) && count < 10_000) count += 1;
    t.ok(count > 240 && count < 10_000, 'all slots at once, and an end');
  },
);

t.test('after a drain packets are sent again', async (t) => {
  const [a, b] = pair(8);
  a.hasRoom = false;
  a.stream.send(Buffer.from('one'));
  a.hasRoom = true;
  a.stream.drained();
  t.ok(a.stream.send(Buffer.from('two')));
  b.stream.receive(Buffer.concat(a.wire));
  t.same(b.packets, ['one', 'two']);
});

t.test('hostile bytes end a stream and do nothing else', async (t) => {
  const [sender] = pair(9);
  for (const text of ['one', 'two', 'three']) sender.stream.send(Buffer.from(text));
  for (const bytes of mutations(10, [Buffer.concat(sender.wire)], 1_000)) {
    const [, receiver] = pair(9);
    receiver.stream.receive(bytes);
    for (const text of receiver.packets) if (!['one', 'two', 'three'].includes(text)) t.fail(text);
  }
});

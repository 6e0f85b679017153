import t from 'tap';
import {
  decodeRelayGreeting,
  decodeRelayHandshakeContent,
  decodeRelayPacket,
  decodeRelayReply,
  encodeRelayGreeting,
  encodeRelayHandshakeContent,
  encodeRelayPacket,
  encodeRelayReply,
  MAX_OOB_SIZE,
  MAX_RELAY_PACKET_SIZE,
  type RelayPacket,
} from '../../../src/tox/packet/relay.js';
import { mutations } from '../../support/fuzz.js';
import { keyOf } from '../../support/nodes.js';

const KEY = keyOf('aa');
const KEY_HEX = `aa${'00'.repeat(31)}`;
const ID = 0x0102030405060708n;
const ONION = Buffer.alloc(159, 7);

const PACKETS: readonly (readonly [RelayPacket, string])[] = [
  [{ kind: 'routing request', publicKey: KEY }, `00${KEY_HEX}`],
  [{ kind: 'routing response', slot: 16, publicKey: KEY }, `0110${KEY_HEX}`],
  [{ kind: 'routing response', slot: undefined, publicKey: KEY }, `0100${KEY_HEX}`],
  [{ kind: 'connected', slot: 17 }, '0211'],
  [{ kind: 'disconnected', slot: 255 }, '03ff'],
  [{ kind: 'ping', id: ID }, '040102030405060708'],
  [{ kind: 'pong', id: ID }, '050102030405060708'],
  [{ kind: 'oob send', publicKey: KEY, data: Buffer.from('hi') }, `06${KEY_HEX}6869`],
  [{ kind: 'oob receive', publicKey: KEY, data: Buffer.from('hi') }, `07${KEY_HEX}6869`],
  [{ kind: 'onion request', data: ONION }, `08${ONION.toString('hex')}`],
  [{ kind: 'onion response', data: Buffer.from('x') }, '0978'],
  [{ kind: 'data', slot: 16, data: Buffer.from('abc') }, '10616263'],
];

t.test('every packet has the bytes of the specification, and comes back from them', async (t) => {
  for (const [packet, hex] of PACKETS) {
    t.equal(encodeRelayPacket(packet).toString('hex'), hex, packet.kind);
    const decoded = decodeRelayPacket(Buffer.from(hex, 'hex'));
    t.ok(decoded !== undefined && decoded !== 'ignored', packet.kind);
    t.equal(encodeRelayPacket(decoded as RelayPacket).toString('hex'), hex);
  }
});

t.test('packets at which c-toxcore ends the connection are refused', async (t) => {
  const refused = ['', '0c', '0f00', '10', `00${KEY_HEX}00`, '0310aa', '0305', '04', `06${KEY_HEX}`, '09'];
  for (const hex of refused) t.equal(decodeRelayPacket(Buffer.from(hex, 'hex')), undefined, hex || 'nothing');
  const long = Buffer.concat([Buffer.from(`06${KEY_HEX}`, 'hex'), Buffer.alloc(MAX_OOB_SIZE + 1)]);
  t.equal(decodeRelayPacket(long), undefined, 'out of band, too long');
  t.equal(decodeRelayPacket(Buffer.concat([Buffer.from([8]), ONION.subarray(1)])), undefined, 'onion, too short');
});

t.test('forwarding packets are ignored', async (t) => {
  t.equal(decodeRelayPacket(Buffer.from([10, 1])), 'ignored');
  t.equal(decodeRelayPacket(Buffer.from([11, 1])), 'ignored');
});

t.test('encoding a packet larger than a frame throws', async (t) => {
  const data = Buffer.alloc(MAX_RELAY_PACKET_SIZE);
  t.throws(() => encodeRelayPacket({ kind: 'data', slot: 16, data }), RangeError);
  t.throws(() => encodeRelayPacket({ kind: 'oob send', publicKey: KEY, data: Buffer.alloc(1025) }), RangeError);
});

t.test('the handshakes have 128 and 96 bytes', async (t) => {
  const nonce = Buffer.alloc(24, 1);
  const sealed = Buffer.alloc(72, 2);
  const greeting = encodeRelayGreeting({ publicKey: KEY, nonce, sealed });
  t.equal(greeting.toString('hex'), `${KEY_HEX}${'01'.repeat(24)}${'02'.repeat(72)}`);
  t.equal(decodeRelayGreeting(greeting)?.publicKey.hex, KEY.hex);
  t.same(decodeRelayGreeting(greeting)?.sealed, sealed);
  const reply = encodeRelayReply({ nonce, sealed });
  t.equal(reply.toString('hex'), `${'01'.repeat(24)}${'02'.repeat(72)}`);
  t.same(decodeRelayReply(reply), { nonce, sealed });
  t.equal(decodeRelayGreeting(greeting.subarray(1)), undefined);
  t.equal(decodeRelayReply(greeting), undefined);
  const content = encodeRelayHandshakeContent({ ephemeralKey: KEY, baseNonce: nonce });
  t.equal(content.toString('hex'), `${KEY_HEX}${'01'.repeat(24)}`);
  t.same(decodeRelayHandshakeContent(content)?.baseNonce, nonce);
  t.equal(decodeRelayHandshakeContent(reply), undefined);
});

t.test('hostile packets never throw, and accepted packets can be encoded again', async (t) => {
  const samples = PACKETS.map(([packet]) => encodeRelayPacket(packet));
  for (const bytes of mutations(2, samples, 5_000)) {
    const packet = decodeRelayPacket(bytes);
    if (packet === undefined || packet === 'ignored') continue;
    if (packet.kind === 'routing response' && packet.slot === undefined) continue;
    if (bytes.length > MAX_RELAY_PACKET_SIZE) continue;
    if (!encodeRelayPacket(packet).equals(bytes)) t.fail(`${packet.kind}: ${bytes.toString('hex')}`);
  }
});

import t from 'tap';
import {
  decodeBootstrapInfo,
  encodeBootstrapInfo,
  encodeBootstrapInfoRequest,
  isBootstrapInfoRequest,
} from '../../../src/tox/packet/bootstrap-info.js';
import { mutations } from '../../support/fuzz.js';

t.test('a request has 78 bytes, of which only the first one counts', async (t) => {
  const request = encodeBootstrapInfoRequest();
  t.equal(request.length, 78);
  t.ok(isBootstrapInfoRequest(request));
  t.ok(isBootstrapInfoRequest(Buffer.alloc(78, 0xf0)));
  t.notOk(isBootstrapInfoRequest(Buffer.alloc(77, 0xf0)), 'too short');
  t.notOk(isBootstrapInfoRequest(Buffer.alloc(78)), 'another kind');
});

t.test('a response is the version and the message of the day', async (t) => {
  const packet = encodeBootstrapInfo({ version: 1000002018, motd: 'hi' });
  t.equal(packet.toString('hex'), 'f03b9ad1e26869');
  t.same(decodeBootstrapInfo(packet), { version: 1000002018, motd: 'hi' });
});

t.test('a message that ends with NUL, as tox-bootstrapd sends it, is decoded without it', async (t) => {
  t.same(decodeBootstrapInfo(Buffer.from('f0000000016800', 'hex')), { version: 1, motd: 'h' });
});

t.test('a message of more than 256 bytes is refused, and encoding it throws', async (t) => {
  t.throws(() => encodeBootstrapInfo({ version: 1, motd: 'ä'.repeat(129) }), RangeError);
  t.equal(decodeBootstrapInfo(Buffer.concat([Buffer.from('f000000001', 'hex'), Buffer.alloc(257, 65)])), undefined);
});

t.test('hostile bytes never throw', async (t) => {
  for (const bytes of mutations(4, [encodeBootstrapInfo({ version: 7, motd: 'message' })], 1000)) {
    const info = decodeBootstrapInfo(bytes);
    if (info !== undefined && info.motd.length > 256) t.fail('too long a message');
  }
});

import t from 'tap';
import { decodeLanDiscovery, encodeLanDiscovery } from '../../../src/tox/packet/lan-discovery.js';
import { mutations } from '../../support/fuzz.js';
import { keyOf } from '../../support/nodes.js';

t.test('a LAN discovery packet is its kind and the key of the sender', async (t) => {
  const packet = encodeLanDiscovery(keyOf('ab'));
  t.equal(packet.toString('hex'), `21ab${'00'.repeat(31)}`);
  t.equal(decodeLanDiscovery(packet)?.hex, keyOf('ab').hex);
});

t.test('hostile bytes never throw, and only 33 bytes of the right kind are accepted', async (t) => {
  for (const bytes of mutations(3, [encodeLanDiscovery(keyOf('ab'))], 1000)) {
    const isValid = bytes.length === 33 && bytes[0] === 0x21;
    if ((decodeLanDiscovery(bytes) !== undefined) !== isValid) t.fail(bytes.toString('hex'));
  }
});

import t from 'tap';
import { OUTCOME_CODES } from '../../../src/tunnel/socks/outcome-codes.js';

t.test('programs learn why there is no tunnel', async (t) => {
  t.match(OUTCOME_CODES, {
    'not-allowed': { socks5: 'not-allowed', http: 403 },
    'connection-refused': { socks5: 'connection-refused', http: 502 },
    'name-not-found': { socks5: 'host-unreachable', http: 502 },
    timeout: { socks5: 'ttl-expired', http: 504 },
    'peer-offline': { socks5: 'network-unreachable', http: 503 },
    'no-extension': { socks5: 'no-such-command', http: 502 },
    'too-many-tunnels': { socks5: 'failed', http: 503 },
  });
});

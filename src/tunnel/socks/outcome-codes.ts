/** How each protocol tells a program why there is no tunnel. SOCKS 4 has one code for everything. */
import type { Reason } from '../wire/reasons.js';
import type { HttpFailure } from './http-connect.js';
import type { Socks5Failure } from './socks5.js';

interface OutcomeCodes {
  readonly socks5: Socks5Failure;
  readonly http: HttpFailure;
}

const OURS: OutcomeCodes = { socks5: 'failed', http: 503 };
const DENIED: OutcomeCodes = { socks5: 'not-allowed', http: 403 };
/** The network that a program reaches through the proxy is the server. */
const NO_SERVER: OutcomeCodes = { socks5: 'network-unreachable', http: 503 };
const NO_TARGET: OutcomeCodes = { socks5: 'host-unreachable', http: 502 };
const BROKEN: OutcomeCodes = { socks5: 'failed', http: 502 };

export const OUTCOME_CODES: Readonly<Record<Reason, OutcomeCodes>> = {
  'not-allowed': DENIED,
  'share-ended': DENIED,
  'connection-refused': { socks5: 'connection-refused', http: 502 },
  unreachable: NO_TARGET,
  'name-not-found': NO_TARGET,
  timeout: { socks5: 'ttl-expired', http: 504 },
  'no-answer': { socks5: 'failed', http: 504 },
  'peer-offline': NO_SERVER,
  'connection-lost': NO_SERVER,
  'answer-lost': NO_SERVER,
  'peer-shutting-down': NO_SERVER,
  'shutting-down': OURS,
  'too-many-tunnels': OURS,
  'no-resources': OURS,
  'closed-by-owner': OURS,
  'connection-reset': BROKEN,
  'closed-by-peer': BROKEN,
  'bad-request': BROKEN,
  'no-services': BROKEN,
  'no-extension': { socks5: 'no-such-command', http: 502 },
  'unknown-tunnel': BROKEN,
  overflow: BROKEN,
  failed: BROKEN,
  // Of ports (-R), never of a tunnel.
  'address-in-use': BROKEN,
  'no-reverse': BROKEN,
  'no-such-address': BROKEN,
  'port-not-permitted': BROKEN,
  'too-many-listeners': BROKEN,
};

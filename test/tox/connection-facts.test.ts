import t from 'tap';
import { connectionStage, type RelayEvidence, relayReason } from '../../src/tox/connection-facts.js';

/** Both have UDP, and all has been known for long. */
const KNOWN: RelayEvidence = {
  ownUdp: { kind: 'answers', since: 0 },
  relayedSince: 100_000,
  soughtSince: 0,
  seenSince: 50_000,
  answeredAt: undefined,
  isOneWay: false,
};

t.test('the state of our own UDP comes before all that is known of the friend', async (t) => {
  const reason = (ownUdp: RelayEvidence['ownUdp']): string => relayReason({ ...KNOWN, ownUdp }, 1_000_000);
  t.equal(reason({ kind: 'proxy' }), 'proxy');
  t.equal(reason({ kind: 'off' }), 'udp-off');
  t.equal(reason({ kind: 'silent', since: 900_000 }), 'udp-blocked');
  t.equal(reason({ kind: 'untried' }), 'being-tried');
});

t.test('hole punching has failed 10 s after its last precondition was met', async (t) => {
  t.equal(relayReason(KNOWN, 109_999), 'being-tried');
  t.equal(relayReason(KNOWN, 110_000), 'punching-failed');
  t.equal(relayReason({ ...KNOWN, seenSince: 105_000 }, 114_999), 'being-tried', 'the address of the friend');
  t.equal(relayReason({ ...KNOWN, seenSince: 105_000 }, 115_000), 'punching-failed');
  const ownUdp = { kind: 'answers', since: 120_000 } as const;
  t.equal(relayReason({ ...KNOWN, ownUdp }, 129_999), 'being-tried', 'our own UDP');
  t.equal(relayReason({ ...KNOWN, ownUdp }, 130_000), 'punching-failed');
});

t.test(
  'UDP works one way when packets of the friend come by it 2 s after relays took over, and ours do not arrive',
  async (t) => {
    const oneWay = { ...KNOWN, isOneWay: true };
    t.equal(relayReason(oneWay, 101_999), 'being-tried');
    t.equal(relayReason(oneWay, 102_000), 'udp-one-way');
    t.equal(relayReason({ ...oneWay, seenSince: undefined }, 200_000), 'udp-one-way', 'whatever nodes know of it');
    t.equal(relayReason({ ...oneWay, ownUdp: { kind: 'silent', since: 0 } }, 200_000), 'udp-blocked', 'by anybody');
  },
);

t.test('a friend without a reported address has only TCP, once there was time to ask for it', async (t) => {
  const unseen = { ...KNOWN, relayedSince: 0, soughtSince: 20_000, seenSince: undefined };
  t.equal(relayReason(unseen, 24_999), 'being-tried');
  t.equal(relayReason(unseen, 25_000), 'peer-tcp-only');
  const ownUdp = { kind: 'answers', since: 30_000 } as const;
  t.equal(relayReason({ ...unseen, ownUdp }, 34_999), 'being-tried', 'nor could anybody be asked before UDP worked');
  t.equal(relayReason({ ...unseen, soughtSince: undefined }, 1_000_000), 'being-tried');
});

t.test('a friend whose DHT node answers by UDP is still being tried', async (t) => {
  t.equal(relayReason({ ...KNOWN, answeredAt: 101_000 }, 150_000), 'being-tried');
  t.equal(relayReason({ ...KNOWN, answeredAt: 99_000 }, 150_000), 'punching-failed', 'that was before');
});

type StagedFriend = Parameters<typeof connectionStage>[0];

/** Being searched, with nothing known of it. */
function sought(known: Partial<StagedFriend['reachability']> = {}): StagedFriend {
  const nothing = { soughtSince: undefined, seenSince: undefined, answeredAt: undefined, isOneWay: false };
  const reachability = { ...nothing, relay: undefined, relayOwner: 'others', ...known } as const;
  return { connection: undefined, reachability, discovery: { standing: { kind: 'sought' } } };
}

t.test('the way to a friend leads from no network over the search and the request to its addresses', async (t) => {
  const ownUdp = { kind: 'answers', since: 0 } as const;
  const found = { ...sought(), discovery: { standing: { kind: 'found', since: 0 } as const } };
  t.equal(connectionStage(sought(), { ownUdp, hasNetwork: false }), 'bootstrapping');
  t.equal(connectionStage(sought(), { ownUdp, hasNetwork: true }), 'searching');
  t.equal(connectionStage(found, { ownUdp, hasNetwork: true }), 'asking');
  t.equal(
    connectionStage(sought({ soughtSince: 0 }), { ownUdp, hasNetwork: true }),
    'asking',
    'it has answered before',
  );
  const seen = sought({ soughtSince: 0, seenSince: 1 });
  t.equal(connectionStage(seen, { ownUdp, hasNetwork: true }), 'punching');
  t.equal(connectionStage(seen, { ownUdp, hasNetwork: false }), 'bootstrapping');
  t.equal(
    connectionStage({ ...seen, connection: {} as StagedFriend['connection'] }, { ownUdp, hasNetwork: true }),
    undefined,
  );
});

t.test('without UDP of our own nothing is punched', async (t) => {
  const seen = sought({ soughtSince: 0, seenSince: 1 });
  for (const kind of ['proxy', 'off'] as const)
    t.equal(connectionStage(seen, { ownUdp: { kind }, hasNetwork: true }), 'asking');
});

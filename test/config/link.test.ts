import t from 'tap';
import { formatLink, formatLinkOrId, localPortOf, parseLink, parseLinkOrId } from '../../src/config/link.js';

const ID = 'E776E9A993EE3CAE04F5946D9AC66FBBAA8C63A95A94B41942353C6DC1739B4B4C762C7DA7B9';

t.test('a link is read back, whatever copying adds', async (t) => {
  for (const target of ['127.0.0.1:22', '[::1]:22', 'nas.local:80']) {
    const link = parseLink(`tuntox://${ID}/abc23/${target}`);
    const text = formatLink(link);
    t.match(text, /^[\w:/.-]+$/, 'no shell changes it');
    t.same(parseLink(text), link);
    t.equal(formatLink(parseLink(` ${text.slice(0, 40)}\n  ${text.slice(40)}\n`)), text);
  }
  t.match(parseLink(`tuntox://${ID}/abc23/[::1]:22`), { secret: 'abc23', target: { host: '::1', port: 22 } });
});

t.test('a link may be for no single target', async (t) => {
  const link = parseLink(`tuntox://${ID}/abc23`);
  t.match(link, { secret: 'abc23', target: undefined });
  t.equal(formatLink(link), `tuntox://${ID}/abc23`);
});

t.test('a link may be for UDP, or for a Unix socket whose path means nothing to a shell', async (t) => {
  for (const target of [
    { host: '10.0.0.5', port: 53, protocol: 'udp' },
    { host: 'dns', port: 0, protocol: 'udp' },
    { host: '/run/postgresql/.s.PGSQL.5432', port: 0 },
  ] as const) {
    const text = formatLink({ ...parseLink(`tuntox://${ID}/abc23`), target });
    t.same(parseLink(text).target, target, text);
  }
  const link = { ...parseLink(`tuntox://${ID}/abc23`), target: { host: '/run/$x', port: 0 } };
  t.equal(formatLink(link), `tuntox://${ID}/abc23`);
});

t.test('the local port is that of the target, or 10000 more if that needs root', async (t) => {
  t.same(
    [22, 1023, 1024, 3000].map((port) => localPortOf({ host: 'a', port })),
    [10_022, 11_023, 1024, 3000],
  );
});

t.test('a Tox ID may stand for a link, and is written as such again', async (t) => {
  const parsed = parseLinkOrId(` ${ID.toLowerCase()}\n`);
  t.match(parsed, { secret: undefined, target: undefined });
  t.equal(formatLinkOrId(parsed), ID);
  const link = `tuntox://${ID}/abc23/ssh`;
  t.equal(formatLinkOrId(parseLinkOrId(link)), link);
  t.throws(() => parseLinkOrId(ID.slice(1)), { message: /^a Tox ID has 76 hex digits, this one has 75/ });
  t.throws(() => parseLinkOrId('cafe'), { message: /^this is not a link/ });
});

t.test('an error says what is wrong with a link, and does not show its secret', async (t) => {
  const cases: [string, RegExp][] = [
    [ID, /^this is not a link: a link looks like tuntox:\/\//],
    [`tuntox://${ID}`, /^this link is not complete/],
    [`tuntox://${ID}/canary/`, /^this link is not complete/],
    [`tuntox://${ID}/canary/a:1/more`, /^this link is not complete/],
    [`tuntox://${ID.slice(1)}/canary/a:1`, /^a Tox ID has 76 hex digits, this one has 75/],
    [`tuntox://${ID}/${'canary'.repeat(154)}/a:1`, /^the secret in this link has 924 bytes: shorten it to 920/],
    [`tuntox://${ID}/cana$ry/a:1`, /^the secret in this link has a wrong character/],
    [`tuntox://${ID}/canary/:1`, /the host is missing/],
    [`tuntox://${ID}/canary/1`, /is not host:port/],
  ];
  for (const [text, message] of cases) {
    t.throws(() => parseLink(text), { code: 'format', message }, text);
    t.throws(() => parseLink(text), { message: /^(?!.*canary)/ });
  }
});

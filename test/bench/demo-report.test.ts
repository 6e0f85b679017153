import t from 'tap';
import { type DemoResult, formatReport } from '../../bench/support/demo-report.js';

const digest = 'ab'.repeat(32);
const whole = { bytes: 256 * 2 ** 20, milliseconds: 4000, sentDigest: digest, receivedDigest: digest };
const memory = { resident: 70e6, peak: 90.4e6 };
const result: DemoResult = {
  connected: 432,
  roundTrips: [0.5, 0.7, 0.6],
  down: whole,
  up: { ...whole, milliseconds: 2000 },
  memory: { client: memory, server: { ...memory, peak: 85e6 } },
};

t.test('the report names each figure with its unit', async (t) => {
  const report = formatReport(result);
  t.match(report, /time to connect +0\.43 s/);
  t.match(report, /round trip +0\.60 ms/);
  t.match(report, /service -> client +67 MB\/s +256 MiB in 4\.0 s, SHA-256 equal/);
  t.match(report, /client -> service +134 MB\/s +256 MiB in 2\.0 s, SHA-256 equal/);
  t.match(report, /90 MB +client; 85 MB server/);
});

t.test('the report explains how to do it between two machines', async (t) => {
  t.match(formatReport(result), /--secret-file secret -i TOX_ID -L 2222:127\.0\.0\.1:22/);
});

t.test('a digest that differs is reported with its direction', async (t) => {
  const report = formatReport({ ...result, up: { ...whole, receivedDigest: 'cd'.repeat(32) } });
  t.match(report, /client -> service.*SHA-256 DIFFERS/);
  t.match(report, /service -> client.*SHA-256 equal/);
});

t.test('memory is unknown if the kernel does not report it', async (t) => {
  t.match(formatReport({ ...result, memory: { client: undefined, server: undefined } }), /memory at most +unknown/);
});

t.test('the report fits 80 columns and has no control characters', async (t) => {
  for (const line of formatReport({ ...result, connected: 12_345, roundTrips: [1234] }).split('\n')) {
    t.ok(line.length <= 80, line);
    t.notMatch(line, /\p{Cc}/u);
  }
});

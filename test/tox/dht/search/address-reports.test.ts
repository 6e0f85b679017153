import t from 'tap';
import { AddressReports } from '../../../../src/tox/dht/search/address-reports.js';
import { at, keyOf } from '../../../support/nodes.js';

t.test('addresses are counted by reporter, the most reported one in front', async (t) => {
  const reports = new AddressReports();
  reports.add(keyOf('01'), at('192.0.2.1'), 0);
  reports.add(keyOf('02'), at('192.0.2.2'), 0);
  reports.add(keyOf('03'), at('192.0.2.2'), 0);
  const counted = reports.counted(1).map(({ endpoint, count }) => `${endpoint.address} ${count}`);
  t.same(counted, ['192.0.2.2 2', '192.0.2.1 1']);
  t.equal(reports.endpoints(1).length, 3);
});

t.test('a reporter counts once for each family, with its last report', async (t) => {
  const reports = new AddressReports();
  reports.add(keyOf('01'), at('192.0.2.1'), 0);
  reports.add(keyOf('01'), at('192.0.2.2'), 1);
  reports.add(keyOf('01'), at('2001:db8::1'), 2);
  t.same(reports.endpoints(3).map(String), ['192.0.2.2:33445', '[2001:db8::1]:33445']);
  t.same(
    reports.reporters(3).map((key) => key.short),
    ['01000000'],
  );
});

t.test('a report is forgotten after 122 s', async (t) => {
  const reports = new AddressReports();
  reports.add(keyOf('01'), at('192.0.2.1'), 0);
  t.equal(reports.counted(121_999).length, 1);
  t.equal(reports.counted(122_000).length, 0);
});

t.test('the number of stored reports is bounded', async (t) => {
  const reports = new AddressReports();
  for (let index = 0; index < 500; index += 1)
    reports.add(keyOf(index.toString(16).padStart(4, '0')), at('192.0.2.1'), 0);
  t.ok(reports.endpoints(1).length <= 64);
});

import t from 'tap';
import { TrafficSum } from '../../../src/tunnel/client/traffic-sum.js';

t.test('what a connection carries counts while it is open, and after its end', async (t) => {
  const sum = new TrafficSum<{ bytesSent: number; bytesReceived: number }>((connection) => connection);
  const one = { bytesSent: 1, bytesReceived: 10 };
  const other = { bytesSent: 2, bytesReceived: 20 };
  sum.begin(one);
  sum.begin(other);
  one.bytesSent = 5;
  t.same(sum.traffic, { open: 2, total: 2, bytesSent: 7, bytesReceived: 30 });
  t.equal(sum.end(one), true);
  t.same([...sum.open], [other]);
  t.same(sum.traffic, { open: 1, total: 2, bytesSent: 7, bytesReceived: 30 });
});

t.test('a connection that had not begun, or has ended, ends without effect', async (t) => {
  const sum = new TrafficSum<object>(() => ({ bytesSent: 1, bytesReceived: 1 }));
  const connection = {};
  t.equal(sum.end(connection), false);
  sum.begin(connection);
  t.equal(sum.end(connection), true);
  t.equal(sum.end(connection), false);
  t.same(sum.traffic, { open: 0, total: 1, bytesSent: 1, bytesReceived: 1 });
});

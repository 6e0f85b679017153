import t from 'tap';
import { type Cast, formatCast, parseCast } from '../../../bench/recording/cast.js';

const CAST: Cast = {
  title: 'home',
  columns: 80,
  rows: 2,
  events: [
    { at: 0, text: '$ ' },
    { at: 1.25, text: 'a "quoted" word\r\n' },
  ],
};

t.test('a recording is written as asciicast 2', async (t) => {
  t.equal(
    formatCast(CAST),
    '{"version":2,"width":80,"height":2,"title":"home"}\n[0,"o","$ "]\n[1.25,"o","a \\"quoted\\" word\\r\\n"]\n',
  );
});

t.test('a recording that was written is read', async (t) => {
  t.same(parseCast(formatCast(CAST)), CAST);
});

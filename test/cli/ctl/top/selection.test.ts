import t from 'tap';
import { firstShown, Selection } from '../../../../src/cli/ctl/top/selection.js';

t.test('the selection follows its row when the list is sorted again', async (t) => {
  const selection = new Selection();
  t.equal(selection.idIn(['a', 'b', 'c']), 'a');
  selection.move(['a', 'b', 'c'], 1);
  t.equal(selection.indexIn(['b', 'c', 'a']), 0);
  t.equal(selection.idIn(['b', 'c', 'a']), 'b');
});

t.test('what takes the place of a row that is gone is selected', async (t) => {
  const selection = new Selection();
  selection.move(['a', 'b', 'c'], 2);
  t.equal(selection.idIn(['a', 'b']), 'b');
  t.equal(selection.idIn([]), undefined);
  t.equal(selection.indexIn([]), -1);
  t.equal(selection.idIn(['x', 'y', 'z']), 'y');
});

t.test('the selection stays inside of the list', async (t) => {
  const selection = new Selection();
  selection.move(['a', 'b'], 99);
  t.equal(selection.idIn(['a', 'b']), 'b');
  selection.move(['a', 'b'], -99);
  t.equal(selection.idIn(['a', 'b']), 'a');
});

t.test('the list is scrolled as little as the selection needs', async (t) => {
  t.equal(firstShown(0, { index: 4, count: 20, rows: 5 }), 0);
  t.equal(firstShown(0, { index: 5, count: 20, rows: 5 }), 1);
  t.equal(firstShown(10, { index: 3, count: 20, rows: 5 }), 3);
  t.equal(firstShown(10, { index: 12, count: 13, rows: 5 }), 8, 'no empty lines below a list that got shorter');
  t.equal(firstShown(3, { index: -1, count: 0, rows: 5 }), 0);
});

import t from 'tap';
import { OrderedList } from '../../src/base/ordered-list.js';

const [A, B, C] = ['a', 'b', 'c'].map((name) => ({ name }));
type Item = { readonly name: string };

function listOf(...items: readonly (Item | undefined)[]): OrderedList<Item> {
  const list = new OrderedList<Item>();
  for (const item of items) list.add(item as Item);
  return list;
}

/** Empties it. */
function namesOf(list: OrderedList<Item>): string {
  let names = '';
  for (let { first } = list; first !== undefined; { first } = list) {
    names += first.name;
    list.delete(first);
  }
  return names;
}

t.test('objects come in the order in which they were added, each once', async (t) => {
  t.equal(namesOf(listOf(A, B, A, C, B)), 'abc');
});

t.test('an object that was removed comes back at the end', async (t) => {
  const list = listOf(A, B, C);
  list.delete(A as Item);
  t.notOk(list.has(A as Item));
  list.add(A as Item);
  t.ok(list.has(A as Item));
  t.equal(namesOf(list), 'bca');
});

t.test('objects are removed from the middle and from the end', async (t) => {
  const list = listOf(A, B, C);
  list.delete(B as Item);
  list.delete(C as Item);
  list.delete(C as Item);
  list.add(B as Item);
  t.equal(namesOf(list), 'ab');
});

t.test('a list that was cleared is empty, and takes the same objects again', async (t) => {
  const list = listOf(A, B);
  list.clear();
  t.equal(list.first, undefined);
  t.notOk(list.has(B as Item));
  list.add(B as Item);
  t.equal(namesOf(list), 'b');
});

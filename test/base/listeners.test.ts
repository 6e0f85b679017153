import t from 'tap';
import { Listeners } from '../../src/base/listeners.js';

t.test('listeners are called in the order in which they were added, until they are removed', async (t) => {
  const listeners = new Listeners<[name: string, count: number]>();
  const heard: string[] = [];
  const leave = listeners.add((name, count) => heard.push(`one ${name} ${count}`));
  listeners.add((name, count) => heard.push(`two ${name} ${count}`));
  listeners.tell('a', 1);
  leave();
  leave();
  listeners.tell('b', 2);
  t.same(heard, ['one a 1', 'two a 1', 'two b 2']);
});

t.test('a listener that is added or removed during an event changes the next one', async (t) => {
  const listeners = new Listeners<[]>();
  const heard: string[] = [];
  const leave = listeners.add(() => {
    heard.push('one');
    leave();
    leaveTwo();
    listeners.add(() => heard.push('three'));
  });
  const leaveTwo = listeners.add(() => heard.push('two'));
  listeners.tell();
  t.same(heard.splice(0), ['one', 'two']);
  listeners.tell();
  t.same(heard, ['three']);
});

import t from 'tap';
import { Endpoint } from '../../../src/base/endpoint.js';
import { PublicKey } from '../../../src/tox/crypto/keys.js';
import { AnnounceSearch } from '../../../src/tox/onion/announce-search.js';
import type { NodeInfo } from '../../../src/tox/packet/node-info.js';
import { ManualClock } from '../../support/manual-clock.js';

/** A node at the given distance from the target, which is zero. */
function nodeAt(distance: number): NodeInfo {
  const bytes = Buffer.alloc(32);
  bytes.writeUInt32BE(distance);
  return { publicKey: new PublicKey(bytes), endpoint: Endpoint.of('203.0.113.1', 1 + distance)! };
}

const distanceOf = (node: NodeInfo): number => node.publicKey.bytes.readUInt32BE();

function make(size = 8, parallelism = 8) {
  const clock = new ManualClock();
  const asked: { distance: number; attempt: number; at: number }[] = [];
  const forgotten: number[] = [];
  const owner = {
    ask: (node: NodeInfo, attempt: number): void => {
      asked.push({ distance: distanceOf(node), attempt, at: clock.now() });
    },
    onForgotten: (node: NodeInfo): void => {
      forgotten.push(distanceOf(node));
    },
  };
  const target = new PublicKey(Buffer.alloc(32));
  const search = new AnnounceSearch({ clock, owner }, { target, size, parallelism });
  return { clock, asked, forgotten, search };
}

t.test('new nodes are asked at once, eight at a time, the closest first', async (t) => {
  const { search, asked } = make();
  search.offer(Array.from({ length: 20 }, (_, index) => nodeAt(20 - index)));
  t.same(
    asked.map(({ distance }) => distance),
    [1, 2, 3, 4, 5, 6, 7, 8],
  );
  search.noteAnswer(nodeAt(3), []);
  search.offer([]);
  t.equal(asked.at(-1)?.distance, 9, 'an answer makes room for the next');
});

t.test('a silent node is asked again after 0.7, 1.5 and 3 s, and then given up', async (t) => {
  const { search, asked, clock, forgotten } = make();
  search.noteAnswer(nodeAt(9), []);
  search.offer([nodeAt(1)]);
  clock.advance(60_000);
  t.same(
    asked.map(({ attempt, at }) => [attempt, at]),
    [
      [0, 0],
      [1, 700],
      [2, 2_200],
    ],
  );
  t.same(forgotten, [], 'it had never answered');
  t.equal(clock.pending, 0);
});

t.test('while no node answers, nodes are asked more and more slowly', async (t) => {
  const { search, asked, clock } = make();
  search.offer([nodeAt(1)]);
  clock.advance(30_000);
  t.same(
    asked.slice(0, 6).map(({ at }) => at),
    [0, 700, 2_200, 5_200, 8_200, 11_200],
  );
  clock.advance(600_000);
  t.equal(asked.at(-1)!.at - asked.at(-2)!.at, 15_000);
  search.offer([nodeAt(2)]);
  search.noteAnswer(nodeAt(2), []);
  clock.advance(60_000);
  t.equal(clock.pending, 0, 'with an answer from another, it is given up');
});

t.test('dead nodes do not stall the search', async (t) => {
  const { search, asked, clock } = make();
  search.offer(Array.from({ length: 8 }, (_, index) => nodeAt(index + 1)));
  search.offer([nodeAt(100)]);
  t.notOk(asked.some(({ distance }) => distance === 100));
  clock.advance(700);
  t.ok(asked.some(({ distance }) => distance === 100));
});

t.test('the search remembers the closest nodes and forgets farther ones', async (t) => {
  const { search, forgotten } = make(3);
  for (const distance of [10, 20, 30]) t.ok(search.noteAnswer(nodeAt(distance), []));
  t.ok(search.noteAnswer(nodeAt(5), []));
  t.same(forgotten, [30]);
  t.notOk(search.noteAnswer(nodeAt(40), []));
  t.same(search.nodes.map(distanceOf), [5, 10, 20]);
});

t.test('nodes farther than all remembered ones are not asked', async (t) => {
  const { search, asked } = make(2);
  search.noteAnswer(nodeAt(10), [nodeAt(30)]);
  search.noteAnswer(nodeAt(20), [nodeAt(40), nodeAt(15)]);
  t.same(
    asked.map(({ distance }) => distance),
    [30, 15],
  );
});

t.test('waiting nodes are dropped when closer ones have filled the list', async (t) => {
  const { search, asked } = make(1, 1);
  search.offer([nodeAt(5), nodeAt(9)]);
  search.noteAnswer(nodeAt(5), []);
  t.same(
    asked.map(({ distance }) => distance),
    [5],
  );
});

t.test('a node that answered before gets more attempts before it is forgotten', async (t) => {
  const { search, asked, clock, forgotten } = make();
  search.noteAnswer(nodeAt(9), []);
  search.noteAnswer(nodeAt(1), []);
  search.ask(nodeAt(1));
  search.ask(nodeAt(1));
  t.equal(asked.length, 1, 'not asked twice at a time');
  clock.advance(11_199);
  t.same(forgotten, []);
  clock.advance(1);
  t.same(forgotten, [1]);
  t.equal(asked.length, 5);
});

t.test('the last node is forgotten when it falls silent, but still asked', async (t) => {
  const { search, asked, clock, forgotten } = make();
  search.noteAnswer(nodeAt(1), []);
  search.ask(nodeAt(1));
  clock.advance(11_200);
  t.same(forgotten, [1]);
  t.same(search.nodes, []);
  t.equal(asked.length, 6);
  t.ok(search.noteAnswer(nodeAt(1), []));
  t.equal(clock.pending, 0);
});

t.test('a silent node is not asked for ten seconds', async (t) => {
  const { search, asked, clock } = make();
  search.noteAnswer(nodeAt(9), []);
  search.offer([nodeAt(1)]);
  clock.advance(5_200);
  asked.length = 0;
  search.offer([nodeAt(1)]);
  t.same(asked, []);
  clock.advance(10_000);
  search.offer([nodeAt(1)]);
  t.equal(asked.length, 1);
});

t.test('a liar that names nodes without end costs bounded work', async (t) => {
  const { search, asked, clock } = make();
  search.noteAnswer(nodeAt(5_000), []);
  let made = 5_000;
  const liar = clock.every(10, () => {
    made -= 4;
    search.noteAnswer(
      nodeAt(5_000),
      [0, 1, 2, 3].map((offset) => nodeAt(made - offset)),
    );
  });
  clock.advance(10_000);
  liar.cancel();
  t.ok(clock.pending <= 72, 'eight more in each of the 5.2 s that a node gets');
  t.ok(asked.length <= 15 * 8 * 3, `asked ${asked.length} times in 10 s`);
});

t.test('a long silence in which nodes are named without end costs bounded memory', async (t) => {
  const { search, clock } = make();
  for (let distance = 1; distance < 2_000; distance += 1) {
    search.offer([nodeAt(distance)]);
    clock.advance(1_000);
  }
  t.ok(clock.pending <= 64 + 8 + 32, `${clock.pending} nodes asked on`);
});

t.test('a cleared search leaves no timer behind', async (t) => {
  const { search, clock } = make();
  search.offer([nodeAt(1), nodeAt(2)]);
  search.clear();
  t.equal(clock.pending, 0);
  t.same(search.nodes, []);
});

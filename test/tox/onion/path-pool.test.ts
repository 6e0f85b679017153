import t from 'tap';
import { Endpoint } from '../../../src/base/endpoint.js';
import { generateKeyPair } from '../../../src/tox/crypto/key-pair.js';
import { HopPicker } from '../../../src/tox/onion/hop-picker.js';
import type { OnionPath } from '../../../src/tox/onion/onion-path.js';
import { PathPool } from '../../../src/tox/onion/path-pool.js';
import type { NodeInfo } from '../../../src/tox/packet/node-info.js';
import { ManualClock } from '../../support/manual-clock.js';
import { SeededRandom } from '../../support/seeded-random.js';

const ELSEWHERE = Endpoint.of('192.0.2.1', 1)!;

function make(count: number) {
  const clock = new ManualClock();
  const random = new SeededRandom(count);
  const nodes: NodeInfo[] = [];
  const grow = (to: number): void => {
    while (nodes.length < to) {
      const endpoint = Endpoint.of(`203.0.113.${nodes.length + 1}`, 33_445)!;
      nodes.push({ publicKey: generateKeyPair(random).publicKey, endpoint });
    }
  };
  grow(count);
  const hops = new HopPicker({ clock, random, nodes: () => nodes });
  const pool = new PathPool({ clock, random, hops, firstHop: () => () => {} });
  const draw = (times = 100): Set<OnionPath | undefined> =>
    new Set(Array.from({ length: times }, () => pool.pick(ELSEWHERE)));
  return { clock, random, nodes, grow, hops, pool, draw };
}

const addresses = (path: OnionPath | undefined): (string | undefined)[] =>
  (path?.hops ?? []).map((hop) => hop.endpoint.address);

t.test('without nodes there is no path', async (t) => {
  const { pool, nodes } = make(0);
  t.equal(pool.pick(ELSEWHERE), undefined);
  t.same(pool.pickTwo(ELSEWHERE), []);
  t.equal(nodes.length, 0);
});

t.test('paths go through nodes that have lasted', async (t) => {
  for (const [old, exits] of [
    [1, ['203.0.113.1']],
    [4, ['203.0.113.1', '203.0.113.2', '203.0.113.3', '203.0.113.4']],
  ] as const) {
    const { clock, grow, hops } = make(old);
    const used = (): string[] => [
      ...new Set(Array.from({ length: 100 }, () => hops.pick()?.[2].endpoint.address as string)),
    ];
    hops.pick();
    clock.advance(100_000);
    grow(30);
    t.ok(used().length > 10, 'at first nobody has lasted');
    clock.advance(90_000);
    t.same(used().sort(), exits);
    clock.advance(60_000);
    t.ok(used().length > 10, 'then the newcomers have lasted, too');
  }
});

t.test('one node serves as all three hops, and two nodes in turn', async (t) => {
  t.same(addresses(make(1).pool.pick(ELSEWHERE)), ['203.0.113.1', '203.0.113.1', '203.0.113.1']);
  const [first, second, third] = addresses(make(2).pool.pick(ELSEWHERE));
  t.equal(first, third);
  t.not(first, second);
});

t.test('with three or more nodes the hops are different', async (t) => {
  for (const path of make(3).draw()) t.notOk(path?.isRepetitive);
  for (const path of make(40).draw()) t.notOk(path?.isRepetitive);
});

t.test('there are six paths, and each is used', async (t) => {
  t.equal(make(40).draw(300).size, 6);
});

t.test('the second of two paths differs from the first, even in a network of one node', async (t) => {
  for (const count of [1, 5]) {
    const { pool } = make(count);
    const [first, second] = pool.pickTwo(ELSEWHERE);
    t.ok(first !== undefined && second !== undefined && first !== second);
  }
});

t.test('a path with another exit than the destination is preferred', async (t) => {
  const { pool, nodes } = make(20);
  const endpoint = nodes[3]!.endpoint;
  for (let index = 0; index < 100; index += 1) {
    t.not(pool.pick(endpoint, { isExitAvoided: true })?.exit.endpoint.key, endpoint.key);
  }
  t.ok(make(1).pool.pick(endpoint, { isExitAvoided: true }), 'but rather so than not at all');
});

t.test('a path that has answered is preferred for packets without confirmation', async (t) => {
  const { pool, draw } = make(20);
  const [proven] = draw();
  pool.noteAnswer(proven!);
  for (let index = 0; index < 30; index += 1) t.equal(pool.pick(ELSEWHERE, { proven: true }), proven);
});

t.test('a new path that stays silent twice is replaced after 2.5 s', async (t) => {
  const { pool, clock } = make(20);
  const path = pool.pick(ELSEWHERE)!;
  pool.noteRequest(path);
  clock.advance(60_000);
  t.ok(pool.isUsable(path), 'one loss is no proof');
  pool.noteRequest(path);
  t.ok(pool.isUsable(path), 'the answer may be on its way');
  clock.advance(2_500);
  t.notOk(pool.isUsable(path));
});

t.test('a path that has worked gets four attempts and 8 s, and an answer makes it good again', async (t) => {
  const { pool, clock } = make(20);
  const path = pool.pick(ELSEWHERE)!;
  pool.noteAnswer(path);
  for (let index = 0; index < 4; index += 1) pool.noteRequest(path);
  clock.advance(7_999);
  t.ok(pool.isUsable(path));
  pool.noteAnswer(path);
  clock.advance(60_000);
  t.ok(pool.isUsable(path));
  for (let index = 0; index < 9; index += 1) {
    pool.noteRequest(path);
    clock.advance(2_000);
  }
  t.notOk(pool.isUsable(path), 'more requests do not keep a dead path alive');
});

t.test('a path lives for at most twenty minutes', async (t) => {
  const { pool, clock } = make(20);
  const path = pool.pick(ELSEWHERE)!;
  clock.advance(1_199_999);
  pool.noteAnswer(path);
  t.ok(pool.isUsable(path));
  clock.advance(1);
  t.notOk(pool.isUsable(path));
});

t.test('when all paths are dead, new ones are made', async (t) => {
  const { pool, clock, draw } = make(20);
  const before = draw(300);
  for (const path of before) for (let index = 0; index < 2; index += 1) pool.noteRequest(path!);
  clock.advance(2_500);
  for (const path of draw(300)) t.notOk(before.has(path));
});

t.test('a path that repeats a node is replaced when a better one works', async (t) => {
  const { pool, grow, draw } = make(1);
  const first = pool.pick(ELSEWHERE)!;
  pool.noteAnswer(first);
  grow(10);
  t.ok(pool.isUsable(first), 'nothing better is known to work');
  const better = [...draw(300)].find((path) => path?.isRepetitive === false)!;
  pool.noteAnswer(better);
  t.notOk(pool.isUsable(first));
  for (const path of draw(300)) t.notOk(path?.isRepetitive);
});

t.test('nodes whose paths never worked are avoided, until one does', async (t) => {
  const { hops, nodes } = make(30);
  const broken = nodes.slice(0, 10);
  const share = (): number => {
    let count = 0;
    for (let index = 0; index < 300; index += 1) {
      for (const hop of hops.pick() ?? []) if (broken.includes(hop)) count += 1;
    }
    return count / 900;
  };
  for (const node of broken) hops.noteFailure([node, node, node]);
  t.ok(share() < 0.2, 'a third would be blind');
  for (const node of broken) hops.noteSuccess([node, node, node]);
  t.ok(share() > 0.25);
});

t.test('hops with narrow addresses come first, so that each hop reaches the next', async (t) => {
  const { nodes, hops, draw } = make(3);
  const at = (index: number, address: string): void => {
    nodes[index] = { ...nodes[index]!, endpoint: Endpoint.of(address, 33_445)! };
  };
  at(1, '192.168.1.7');
  at(2, '127.0.0.1');
  for (const path of draw()) t.same(addresses(path), ['127.0.0.1', '192.168.1.7', '203.0.113.1']);
  nodes.splice(2);
  for (let index = 0; index < 20; index += 1) {
    const found = hops.pick()!.map(({ endpoint }) => endpoint.address);
    t.same(found, ['192.168.1.7', '192.168.1.7', '203.0.113.1'], 'of two, the one that reaches itself twice');
  }
});

t.test('packets to a narrow address take only paths of narrow addresses, if there are any', async (t) => {
  const { nodes, pool } = make(5);
  const here = Endpoint.of('127.0.0.1', 33_445)!;
  const neighbour = Endpoint.of('192.168.1.9', 33_445)!;
  t.ok(pool.pick(neighbour), 'a doubtful way rather than none');
  // A second address of a node that has another one already.
  nodes.push({ ...nodes[0]!, endpoint: Endpoint.of('192.168.1.7', 33_445)! }, { ...nodes[1]!, endpoint: here });
  for (let index = 0; index < 30; index += 1) {
    t.same(addresses(pool.pick(here)), ['127.0.0.1', '127.0.0.1', '127.0.0.1']);
    t.same(addresses(pool.pick(neighbour)), ['127.0.0.1', '127.0.0.1', '192.168.1.7']);
    for (const address of addresses(pool.pick(ELSEWHERE))) t.match(address, '203.0.113.');
  }
});

t.test('all paths through a dead node are replaced', async (t) => {
  const { nodes, pool } = make(5);
  const { publicKey } = nodes[0]!;
  nodes.push({ publicKey, endpoint: Endpoint.of('192.168.1.7', 33_445)! });
  const path = pool.pick(Endpoint.of('192.168.1.9', 33_445)!)!;
  t.ok(pool.forgetThrough(publicKey));
  t.notOk(pool.isUsable(path));
});

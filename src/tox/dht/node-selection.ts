/** Which of the nodes that we know serve a purpose. */
import { pick, type Random } from '../../base/random.js';
import type { PublicKey } from '../crypto/keys.js';
import type { NodeInfo } from '../packet/node-info.js';
import type { DhtNode } from './dht-node.js';
import { compareDistance } from './distance.js';

/** The good nodes nearest to `target`, each once. @param lan whether nodes of local networks are of use to who gets them */
export function closestOf(
  nodes: Iterable<DhtNode>,
  target: PublicKey,
  count: number,
  { lan, now }: { readonly lan: boolean; readonly now: number },
): NodeInfo[] {
  // The answer to every nodes request comes from here: one pass, in which most nodes cost one comparison.
  const best: NodeInfo[] = [];
  for (const node of nodes) {
    const { publicKey } = node;
    const at = best.findIndex((other) => compareDistance(target, publicKey, other.publicKey) <= 0);
    if (at < 0 ? best.length >= count : best[at]?.publicKey.equals(publicKey)) continue;
    const endpoint = node.goodEndpoints(now).find((candidate) => lan || !candidate.isLan);
    if (endpoint === undefined) continue;
    best.splice(at < 0 ? best.length : at, 0, { publicKey, endpoint });
    if (best.length > count) best.pop();
  }
  return best;
}

/** Good nodes, each once. */
export function goodOf(nodes: Iterable<DhtNode>, now: number): NodeInfo[] {
  const found = new Map<string, NodeInfo>();
  for (const node of nodes) {
    const info = node.info(now);
    if (info !== undefined) found.set(node.publicKey.hex, info);
  }
  return [...found.values()];
}

/** Up to `count` different elements in random order. */
export function sample<T>(random: Random, list: readonly T[], count: number): T[] {
  const left = [...list];
  const taken: T[] = [];
  while (taken.length < count && left.length > 0) {
    const chosen = pick(random, left);
    taken.push(chosen);
    left[left.indexOf(chosen)] = left.at(-1) as T;
    left.pop();
  }
  return taken;
}

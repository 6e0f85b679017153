/** A lab for one measurement, which is gone when that is over. */
import { Lab, type LabOptions } from '../../test/support/lab.js';

export async function inLab<T>(work: (lab: Lab) => Promise<T>, options: LabOptions = { topology: 'wan' }): Promise<T> {
  const downs: (() => Promise<void>)[] = [];
  try {
    return await work(await Lab.up({ teardown: (down: () => Promise<void>) => downs.push(down) }, options));
  } finally {
    for (const down of downs) await down();
  }
}

/**
 * Joins alice and bob of a lab with public addresses by a cable: what they send to each other passes no emulator and no router.
 * Everything else is as before.
 */
export async function joinByCable(lab: Lab): Promise<void> {
  const [alice, bob] = [await lab.addressOf('alice'), await lab.addressOf('bob')];
  const namespaceOfBob = lab.prefix('bob').at(-1) as string;
  await lab.exec('alice', ...'ip link add cable type veth peer name cable netns'.split(' '), namespaceOfBob);
  for (const [node, own, other] of [
    ['alice', alice, bob],
    ['bob', bob, alice],
  ] as const) {
    await lab.exec(node, 'ip', 'link', 'set', 'cable', 'up');
    await lab.exec(node, 'ip', 'route', 'add', `${other}/32`, 'dev', 'cable', 'src', own);
  }
}

/**
 * Has TCP between alice and bob use an algorithm of the kernel's. By their routes: as the default of a namespace the kernel takes no
 * other than those that every user can use.
 */
export async function useCongestionControl(lab: Lab, algorithm: string): Promise<void> {
  for (const [node, other] of [
    ['alice', 'bob'],
    ['bob', 'alice'],
  ] as const) {
    const [gateway = []] = (await lab.exec(node, 'ip', 'route', 'show', 'default'))
      .split('\n')
      .map((line) => line.split(' '));
    const way = gateway.slice(1).filter((word) => word !== '');
    await lab.exec(node, 'ip', 'route', 'replace', `${await lab.addressOf(other)}/32`, ...way, 'congctl', algorithm);
  }
}

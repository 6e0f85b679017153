/** The file of the services: what is kept, and what makes it unreadable. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type NamedService, Services, serviceOn } from '../../../src/engine/access/services.js';
import { nodeFileSystem } from '../../../src/engine/state/file-system.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { NAMES } from '../support/names.js';

const service = (name: string, port: number): NamedService => ({
  name,
  target: { host: '127.0.0.1', port },
  hasProxyHeader: false,
  addedAt: 7,
});
const open = (path: string): Promise<Services> => Services.open(nodeFileSystem, { path, names: NAMES });

/** @returns a directory whose file has this content */
function directoryWith(t: Test, content: unknown): string {
  const path = temporaryDirectory(t);
  writeFileSync(join(path, 'services.json'), JSON.stringify(content));
  return path;
}

t.test('services are read back as they were added, in their order', async (t) => {
  const path = temporaryDirectory(t);
  const services = await open(path);
  await services.add(service('web', 80), false);
  await services.add({ ...service('ssh', 22), target: { host: '::1', port: 22 } }, false);
  await services.add(service('web', 81), true);
  t.same((await open(path)).all, services.all);
  t.same(
    services.all.map(({ name, target }) => [name, target.host, target.port]),
    [
      ['web', '127.0.0.1', 81],
      ['ssh', '::1', 22],
    ],
  );
  await services.remove('web');
  t.match(JSON.parse(readFileSync(join(path, 'services.json'), 'utf8')), {
    version: 1,
    services: [{ name: 'ssh', target: '[::1]:22', added_at: 7 }],
  });
});

t.test(
  'a target may ask for a header, if it is one of TCP under its address, and a file of an older version has none',
  async (t) => {
    const path = directoryWith(t, { version: 1, services: [{ name: 'ssh', target: '127.0.0.1:22', added_at: 1 }] });
    const services = await open(path);
    t.same(services.withHeader, []);
    await services.add({ ...service('web', 80), hasProxyHeader: true }, false);
    const again = await open(path);
    t.match(again.all, [{ hasProxyHeader: false }, { hasProxyHeader: true }]);
    t.match(again.withHeader, [{ subject: { host: '127.0.0.1' }, port: 80, hasProxyHeader: true }]);
    t.throws(() => serviceOn({ host: 'localhost', port: 80 }, true), { message: /"localhost" is not an address/ });
    t.throws(() => serviceOn({ host: '127.0.0.1', port: 80, protocol: 'udp' }, true), { message: /is UDP/ });
    t.match(serviceOn({ host: '/run/x.sock', port: 0 }, true), { hasProxyHeader: true });
  },
);

t.test('the targets are the same map until a change', async (t) => {
  const services = await open(temporaryDirectory(t));
  await services.add(service('web', 80), false);
  const { targets } = services;
  t.equal(services.targets, targets);
  await services.add(service('web', 81), true);
  t.equal(targets.get('web')?.port, 80);
  t.equal(services.targets.get('web')?.port, 81);
});

t.test('there are 64 services at most, and a name has one target', async (t) => {
  const all = Array.from({ length: 64 }, (_, at) => ({ name: `s${at}`, target: `10.0.0.1:${at + 1}`, added_at: 1 }));
  const services = await open(directoryWith(t, { version: 1, services: all }));
  t.equal(services.all.length, 64);
  t.throws(() => services.check(service('more', 1), false), { code: 'full', message: /64 services already/ });
  t.throws(() => services.check(service('s0', 9), false), { code: 'exists', message: /"s0" is 10.0.0.1:1 already/ });
  t.doesNotThrow(() => services.check(service('s0', 9), true));
  await t.rejects(services.remove('more'), { code: 'not-found' });
});

t.test('a file with a mistake has no service at all, and the error says where', async (t) => {
  const good = { name: 'web', target: '10.0.0.1:80', added_at: 1 };
  for (const [services, message] of [
    [undefined, /it has no "services"/],
    [[good, { ...good, name: 'Web' }], /service 2: its "name" is invalid/],
    [[{ ...good, target: 'web' }], /service 1: its "target" is invalid/],
    [[{ ...good, added_at: 'x' }], /service 1: its "added_at" is invalid/],
    [[good, good], /two services have the same name/],
    [[null], /service 1: its "name"/],
  ] as const) {
    const opened = await open(directoryWith(t, { version: 1, services }));
    t.match(opened.error, message);
    t.same([opened.all, opened.targets.size], [[], 0]);
  }
});

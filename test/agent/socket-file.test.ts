import { chmodSync, mkdirSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { agentPlaces, checkOwnDirectory, connectToAgent, pathsOf } from '../../src/agent/socket-file.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

t.test('a client looks beside the identity, and then in the runtime directory', async (t) => {
  const runtime = '/run/user/1000/tuntox';
  t.same(pathsOf(agentPlaces({ runtime, state: '/s' })), ['/s/agent.sock', `${runtime}/agent.sock`]);
  t.same(pathsOf(agentPlaces({ runtime: undefined, state: '/s' })), ['/s/agent.sock']);
});

t.test('a path that is too long for a socket gives way to the other place, and is refused without one', async (t) => {
  const long = `/${'a'.repeat(120)}`;
  const name = '/agent.sock'.length + 1;
  t.equal(agentPlaces({ runtime: long, state: '/s' }).inRuntime, undefined);
  t.equal(agentPlaces({ runtime: '/r', state: long }).byIdentity, undefined);
  t.equal(agentPlaces({ runtime: `/${'a'.repeat(107 - name)}`, state: '/s' }).inRuntime?.length, 107);
  t.equal(agentPlaces({ runtime: `/${'a'.repeat(108 - name)}`, state: '/s' }).inRuntime, undefined);
  t.throws(() => agentPlaces({ runtime: undefined, state: long }), /too long .* set XDG_RUNTIME_DIR/);
});

t.test('a directory of another user, or one that others can change, is not used', async (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, 'agent.sock');
  const uid = process.geteuid?.() ?? 0;
  t.doesNotThrow(() => checkOwnDirectory(path, uid));
  t.throws(() => checkOwnDirectory(path, uid + 1), { code: 'not-ours', message: /belongs to another user/ });
  chmodSync(directory, 0o770);
  t.throws(() => checkOwnDirectory(path, uid), { code: 'not-ours', message: /other users can write there/ });
  mkdirSync(join(directory, 'real'), { mode: 0o700 });
  symlinkSync(join(directory, 'real'), join(directory, 'link'));
  t.throws(() => checkOwnDirectory(join(directory, 'link', 'agent.sock'), uid), { code: 'not-ours' });
});

t.test('where no agent runs, that is the error', async (t) => {
  const directory = temporaryDirectory(t);
  await t.rejects(connectToAgent(join(directory, 'agent.sock')), { code: 'not-running' });
  await t.rejects(connectToAgent(join(directory, 'missing', 'agent.sock')), { code: 'not-running' });
});

t.test('a link beside the identity is not followed to a directory that others can change', async (t) => {
  const directory = temporaryDirectory(t);
  const [state, runtime] = [join(directory, 'state'), join(directory, 'runtime')];
  for (const one of [state, runtime]) mkdirSync(one, { mode: 0o700 });
  const server = createServer();
  t.teardown(() => server.close());
  await new Promise<void>((resolve) => server.listen(join(runtime, 'agent.sock'), resolve));
  symlinkSync(join(runtime, 'agent.sock'), join(state, 'agent.sock'));
  (await connectToAgent(join(state, 'agent.sock'))).destroy();
  chmodSync(runtime, 0o777);
  const message = /other users can write there/;
  await t.rejects(connectToAgent(join(state, 'agent.sock')), { code: 'not-running', message });
});

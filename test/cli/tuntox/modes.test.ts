/** Each mode of the real command, as processes in a private network with one node. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { freeTcpPort, type Process, startTuntox } from '../../support/processes.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { askPort, startEcho, startNode } from './support/network.js';

const ID_LINE = /^([0-9A-F]{76})\n/;
const SECRET = 'canary of the modes';

function start(t: Test, args: readonly string[], secret = SECRET): Process {
  const command = startTuntox(args, { env: { TUNTOX_SHARED_SECRET: secret } });
  t.teardown(() => command.stop('SIGKILL'));
  return command;
}

t.test('the modes of the command against one server', async (t) => {
  const node = await startNode(t);
  const echo = await startEcho(t);
  const closed = await freeTcpPort();
  const rules = join(temporaryDirectory(t), 'rules');
  writeFileSync(rules, `# only these\nlocalhost:${echo}\n127.0.0.1:${echo}\n127.0.0.1:${closed}\n`);
  const server = start(t, ['-f', rules, '-C', temporaryDirectory(t), ...node]);
  const id = (await server.waitFor(ID_LINE))[1] as string;
  t.match(server.stderr, `to connect: tuntox -i ${id} --secret-file FILE -L 2222:127.0.0.1:22\n`);
  const client = (...args: string[]): Process => start(t, ['-i', id, ...args, ...node]);

  await t.test('-p prints round-trip times on standard output and exits', async (t) => {
    const ping = client('-p');
    t.equal(await ping.exited, 0, ping.stderr);
    t.match(ping.stdout, new RegExp(`^(${id.slice(0, 8)}: [0-9.]+ ms\\n){4}4 round trips: .*\\n$`));
    t.match(ping.stderr, /connected to .* (?:direct|relayed)/);
  });

  await t.test('-L opens its ports at once, each to its target, until Ctrl-C', async (t) => {
    const ports = [await freeTcpPort(), await freeTcpPort(), await freeTcpPort()] as const;
    const forward = client(
      '-L',
      `${ports[0]}:127.0.0.1:${echo}`,
      '-L',
      `${ports[1]}@localhost@${echo}`,
      '-L',
      `${ports[2]}:127.0.0.1:${closed}`,
    );
    await forward.waitFor(/listening(.|\n)*listening(.|\n)*listening/);
    t.equal(await askPort(ports[0], 'before the server was found'), 'before the server was found');
    const texts = Array.from({ length: 20 }, (_, index) => `${index} `.repeat(1000));
    t.same(await Promise.all(texts.map((text, index) => askPort(ports[index % 2] as number, text))), texts);
    await t.rejects(askPort(ports[2], 'no service'), { code: 'ECONNRESET' });
    await forward.waitFor(/the target refused the connection: check the port/);
    t.equal(await forward.stop('SIGINT'), 130);
    t.equal(forward.stdout, '');
  });

  await t.test('-W carries standard input and output and nothing else, and ends when both ended', async (t) => {
    for (const flag of ['-W', '-P']) {
      const pipe = client(flag, `127.0.0.1:${echo}`);
      pipe.child.stdin.end('through the pipe\n');
      t.equal(await pipe.exited, 0, pipe.stderr);
      t.equal(pipe.stdout, 'through the pipe\n');
      t.equal(pipe.stderr, '');
    }
  });

  await t.test('the exit status of -W tells whether the server or the target refused', async (t) => {
    const denied = client('-W', '127.0.0.1:22');
    t.equal(await denied.exited, 4);
    t.match(denied.stderr, /^error: 127\.0\.0\.1 port 22: the server does not allow this target: ask its owner .*\n$/);
    const unreachable = client('-W', `127.0.0.1:${closed}`);
    t.equal(await unreachable.exited, 5);
    t.match(unreachable.stderr, /the target refused the connection: check the port, .*\n$/);
    t.equal(denied.stdout + unreachable.stdout, '');
    await server.waitFor(/refused: no line of .*rules allows it/);
  });

  await t.test('a wrong secret is refused, and the right one from the same identity is admitted', async (t) => {
    const identity = ['-C', temporaryDirectory(t)];
    const wrong = start(t, ['-p', '-i', id, ...identity, ...node], 'canary guess');
    await server.waitFor(/refused, it sent a wrong secret/);
    t.equal(await wrong.stop('SIGINT'), 130);
    const right = client('-p', ...identity);
    t.equal(await right.exited, 0);
  });

  t.equal(await server.stop(), 0);
  t.equal(server.stdout, `${id}\n`);
  t.notMatch(server.stderr, 'canary');
});

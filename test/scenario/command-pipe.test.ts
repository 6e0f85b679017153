/** `-W` where people use it: between the pipes, files and closed descriptors of a shell, and below ssh. */
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { CommandNetwork, echo, SECRET } from '../support/command-network.js';
import { freeTcpPort, Process, TUNTOX } from '../support/processes.js';
import { requirementsMet } from '../support/requirements.js';
import { SSH_REQUIREMENTS, startSshd } from '../support/sshd.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const SIZE = 3_000_000;

const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

t.test('between the pipes and files of a shell', async (t) => {
  const network = await CommandNetwork.start(t);
  const { process: server, id } = await network.server();
  const echoPort = await network.service(echo);
  const directory = temporaryDirectory(t);
  const file = (name: string): string => join(directory, name);
  const bytes = randomBytes(SIZE);
  writeFileSync(file('in'), bytes);

  /** Runs a script in which `tuntox` connects its input and output to a port at the server. */
  const shell = async (script: string, port = echoPort): Promise<Process> => {
    const words = [process.execPath, TUNTOX, '-i', id, ...network.node, '-W', `127.0.0.1:${port}`];
    writeFileSync(file('tuntox'), `#!/bin/sh\nexec ${words.map((word) => `'${word}'`).join(' ')}\n`, { mode: 0o700 });
    const env = { ...process.env, TUNTOX_SHARED_SECRET: SECRET, PATH: `${directory}:${process.env.PATH}` };
    const run = new Process('sh', 'sh', ['-c', script], { cwd: directory, env });
    t.teardown(() => run.stop('SIGKILL'));
    await run.exited;
    return run;
  };

  await t.test('a few bytes pass from a pipe to a pipe', async (t) => {
    const run = await shell("printf 'one\\ntwo\\n' | tuntox | tr a-z A-Z");
    t.equal(run.stdout, 'ONE\nTWO\n', run.stderr);
    t.equal(run.stderr, '');
  });

  await t.test('many bytes from a pipe to a pipe whose reader is slow to begin', async (t) => {
    const run = await shell('cat in | (tuntox; echo $? >status) | (sleep 1; sha256sum)');
    t.equal(run.stdout, `${digest(bytes)}  -\n`, run.stderr);
    t.equal(readFileSync(file('status'), 'latin1'), '0\n');
  });

  await t.test('from a file to a file', async (t) => {
    const run = await shell('tuntox <in >out; echo $?');
    t.equal(run.stdout, '0\n', run.stderr);
    t.ok(readFileSync(file('out')).equals(bytes));
  });

  await t.test('without input', async (t) => {
    const run = await shell('(tuntox </dev/null; echo $?) | cat; (tuntox <&-; echo $?) | cat');
    t.equal(run.stdout, '0\n0\n', run.stderr);
    t.equal(run.stderr, '');
  });

  await t.test('to nowhere', async (t) => {
    const run = await shell('tuntox <in >/dev/null; echo $?; tuntox <in >&-; echo $?');
    t.equal(run.stdout, '0\n0\n', run.stderr);
    t.equal(run.stderr, '');
  });

  await t.test('the reader of a pipe sees the end of the service while the input is still open', async (t) => {
    const port = await network.service((socket: Socket) => void socket.end('bye\n').resume());
    // What feeds tuntox ends only after cat has seen the end.
    const run = await shell('mkfifo keep; exec 9<>keep; (tuntox <keep 9>&- &) | cat; exec 9>&-; echo ended', port);
    t.equal(run.stdout, 'bye\nended\n', run.stderr);
  });

  await t.test('a reader that closes its pipe ends the command without a message, as SIGPIPE would', async (t) => {
    const run = await shell('cat in | (tuntox; echo $? >status) | head -c 5 | wc -c');
    t.equal(run.stdout, '5\n', run.stderr);
    t.equal(readFileSync(file('status'), 'latin1'), '141\n');
    t.equal(run.stderr, '');
  });

  await t.test('a full disk is named', async (t) => {
    const run = await shell('tuntox <in >/dev/full; echo $?');
    t.equal(run.stdout, '1\n');
    t.match(run.stderr, /^error: .*: standard output: ENOSPC.*\n$/);
  });

  await t.test('a signal to stop is not an error', async (t) => {
    const port = await network.service((socket: Socket) => void socket.write('hi\n'));
    const script = 'mkfifo held said; exec 9<>held; tuntox <held >said & read hi <said; kill -HUP $!; wait $!; echo $?';
    const run = await shell(script, port);
    t.equal(run.stdout, '129\n');
    t.equal(run.stderr, '');
  });

  t.equal(await server.stop(), 0);
});

t.test('below ssh, as its ProxyCommand', async (t) => {
  if (!requirementsMet(t, ...SSH_REQUIREMENTS)) return;
  const network = await CommandNetwork.start(t);
  const { id } = await network.server();
  const port = await freeTcpPort();
  const sshd = await startSshd({ directory: temporaryDirectory(t), address: '127.0.0.1', port });
  t.teardown(() => sshd.process.stop());
  const proxy = `${process.execPath} ${TUNTOX} -i ${id} ${network.node.join(' ')} -W %h:%p`;
  const env = { ...process.env, TUNTOX_SHARED_SECRET: SECRET };
  const ssh = (...command: string[]): Process => {
    const options = [...sshd.options, '-o', 'LogLevel=ERROR', '-o', `ProxyCommand=${proxy}`];
    const args = [...options, '-p', String(port), '127.0.0.1', ...command];
    const run = new Process('ssh', 'ssh', args, { env });
    t.teardown(() => run.stop('SIGKILL'));
    return run;
  };
  const directory = temporaryDirectory(t);
  const bytes = randomBytes(SIZE);
  writeFileSync(join(directory, 'bigfile'), bytes);

  await t.test('a file arrives whole, in each direction', async (t) => {
    const down = ssh('cat', join(directory, 'bigfile'));
    t.equal(await down.exited, 0, down.stderr);
    t.equal(digest(Buffer.from(down.stdout, 'latin1')), digest(bytes));
    const up = ssh('sha256sum');
    up.child.stdin.end(bytes);
    t.equal(await up.exited, 0, up.stderr);
    t.equal(up.stdout, `${digest(bytes)}  -\n`);
    t.equal(down.stderr + up.stderr, '', 'and nobody says a word beside');
  });

  await t.test('the status of the remote command is that of ssh', async (t) => {
    const run = ssh('exit', '7');
    t.equal(await run.exited, 7, run.stderr);
  });

  await t.test('a server that closes the connection ends ssh, although its input is open', async (t) => {
    // The parent of the remote shell is the sshd of this session.
    const run = ssh('echo $PPID; sleep 1000');
    const pid = Number((await run.waitFor(/^(\d+)\n/))[1]);
    process.kill(pid, 'SIGKILL');
    t.equal(await run.exited, 255, run.stderr);
  });
});

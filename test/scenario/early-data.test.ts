/** Early data between real commands: what a program sends is at the server before the answer to its request is at the client. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import t from 'tap';
import { CommandNetwork } from '../support/command-network.js';
import { freeTcpPort, type Process } from '../support/processes.js';

/** The process is stopped when this resolves. */
async function stop(process: Process): Promise<void> {
  process.kill('SIGSTOP');
  while (!/^State:\s+T/m.test(readFileSync(`/proc/${process.pid}/status`, 'latin1'))) await pause(1);
}

t.test('a target gets the first bytes of a program whose client is stopped before the server answers', async (t) => {
  const network = await CommandNetwork.start(t);
  const { process: server, id } = await network.server();
  let received = '';
  const target = await network.service((socket) => {
    socket.on('data', (bytes: Buffer) => {
      received += bytes.toString('latin1');
    });
    socket.write('greeting');
  });
  const port = await freeTcpPort();
  const client = network.command('client', ['-i', id, '-L', `${port}:127.0.0.1:${target}`]);
  t.teardown(() => {
    for (const process of [server, client]) process.kill('SIGCONT');
  });
  await client.waitFor(/listening/);
  const say = async (text: string) => {
    const socket = connect({ port, host: '127.0.0.1' }).on('error', () => {});
    t.teardown(() => socket.destroy());
    await once(socket, 'connect');
    socket.write(text);
    return socket;
  };
  const until = async (condition: () => boolean, patience: number): Promise<boolean> => {
    for (let waited = 0; !condition() && waited < patience; waited += 20) await pause(20);
    return condition();
  };
  // The client knows of the server's version after this.
  await once(await say('first,'), 'data');

  const words = ['first,'];
  let isEarly = false;
  // A client that had too little time before it was stopped gets more of it.
  for (let attempt = 1; !isEarly && attempt <= 6; attempt += 1) {
    words.push(`early ${attempt},`);
    await stop(server);
    const socket = await say(`early ${attempt},`);
    await pause(50 * 2 ** attempt);
    await stop(client);
    server.kill('SIGCONT');
    // The server has never answered, and the client cannot send anything.
    isEarly = await until(() => received === words.join(''), 3000);
    client.kill('SIGCONT');
    await once(socket, 'data');
    t.ok(await until(() => received === words.join(''), 30_000), 'each byte arrives once');
  }
  t.ok(isEarly);
});

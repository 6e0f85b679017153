/** A process that is killed and started again is found by the peers that kept running. */
import { connect } from 'node:net';
import t from 'tap';
import { CommandNetwork, echo } from '../support/command-network.js';
import { freeTcpPort } from '../support/processes.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

/** Sends `text` to a local port, ends, and returns the answer; the port waits as long as the server is away. */
async function ask(port: number, text: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.end(text);
  let answer = '';
  for await (const bytes of socket) answer += bytes;
  return answer;
}

t.test('a server that was killed and started again serves the client that kept running', async (t) => {
  const network = await CommandNetwork.start(t);
  const first = await network.server();
  const service = await network.service(echo);
  const port = await freeTcpPort();
  const client = network.command('client', ['-i', first.id, '-L', `${port}:127.0.0.1:${service}`]);
  await client.waitFor(/connected to/);
  t.equal(await ask(port, 'before'), 'before');
  t.equal(await first.process.stop('SIGKILL'), 'SIGKILL');
  const second = await network.server();
  t.equal(second.id, first.id);
  // It notices at some time, and its port is open all the while.
  await client.waitFor(/lost the connection.*\n(.*\n)*connected to/);
  for (const text of ['once', 'twice', 'three times']) t.equal(await ask(port, text), text);
  t.equal(await client.stop('SIGINT'), 130);
});

t.test('a client that was killed and started again with its identity is admitted at once', async (t) => {
  const network = await CommandNetwork.start(t);
  const { process: server, id } = await network.server();
  const service = await network.service(echo);
  const port = await freeTcpPort();
  const args = ['-i', id, '-L', `${port}:127.0.0.1:${service}`, '-C', temporaryDirectory(t)];
  const first = network.command('first client', args);
  await first.waitFor(/connected to/);
  t.equal(await first.stop('SIGKILL'), 'SIGKILL');
  const second = network.command('second client', args);
  await second.waitFor(/listening/);
  t.equal(await ask(port, 'again'), 'again');
  t.equal(server.stderr.match(/: admitted /g)?.length, 1, 'it stayed admitted');

  const third = network.command('third client', args);
  t.equal(await third.exited, 1);
  t.match(
    third.stderr,
    new RegExp(`^tuntox: the identity in .* is in use by process ${second.pid}: stop that one.*\\n$`),
  );
  t.equal(await ask(port, 'still'), 'still', 'and the one that has it works on');
});

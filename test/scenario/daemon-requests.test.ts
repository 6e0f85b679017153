/** Every request that only reads, sent by the bundled `tuntoxctl` to the bundled `tuntoxd`: a bundle may break its modules. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { freeTcpPort, ROOT } from '../support/processes.js';
import { daemonPlace, startDaemon } from './support/daemon-command.js';

const TUNTOXCTL = ['env', '-u', 'NODE_OPTIONS', process.execPath, join(ROOT, 'dist/bin/tuntoxctl.js')] as const;
const CLIENT = 'a'.repeat(64);

/** The requests, and what their answers must have. */
const READS: readonly (readonly [words: string, answer: RegExp])[] = [
  ['status', /^Identity /m],
  ['id', /^[0-9A-F]{76}$/m],
  ['id --qr', /[▀▄█]/],
  ['connections', /no connections/],
  ['clients list', /no clients/],
  ['whitelist list', /laptop/],
  ['secret status', /secret/i],
  ['rules list', /every target if there are none/],
  ['rules check --client laptop --target 127.0.0.1:22', /127\.0\.0\.1:22/],
  ['bans list', /no bans/],
  ['net', /^UDP /m],
  ['config check', /is valid/],
  ['config show', /network\.bootstrap/],
  ['log tail', /is ready/],
  ['metrics', /^# EOF$/m],
  ['version', /tuntoxd/],
  ['completion bash', /complete/],
];
/** The exit status of a daemon that admits no client, or is not connected to the network yet. */
const DEGRADED = 6;

t.test('the bundles answer every request that only reads', async (t) => {
  const port = await freeTcpPort();
  const place = daemonPlace(t, undefined, `http:\n  listen: 127.0.0.1:${port}\n`);
  await startDaemon(t, place);
  const request = async (...words: string[]): Promise<{ status: number | null; said: string }> => {
    const [command, ...args] = [...TUNTOXCTL, ...words];
    const child = spawn(command, args, { env: { ...process.env, TUNTOX_SOCKET: place.socket } });
    const [out, error, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    return { status, said: out + error };
  };
  await request('whitelist', 'add', CLIENT, '--name', 'laptop');
  for (const [words, answer] of READS) {
    const { status, said } = await request(...words.split(' '));
    t.ok(status === 0 || (words === 'status' && status === DEGRADED), `${words}: ${status}`);
    t.match(said, answer, words);
  }
  const page = await fetch(`http://127.0.0.1:${port}/metrics`);
  t.match(await page.text(), /^# EOF$/m);
});

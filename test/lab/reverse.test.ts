/** -R between two hosts behind NATs: a web server of the client is fetched at the daemon, and the port goes with the client. */
import t from 'tap';
import { controlOf, daemonPlace, startDaemon } from '../scenario/support/daemon-command.js';
import { LAB_REQUIREMENTS, Lab } from '../support/lab.js';
import { startNodeAtHub, startTuntoxIn } from '../support/lab-tunnel.js';
import { requirementsMet, tool } from '../support/requirements.js';

const [WEB_PORT, PUBLIC_PORT] = [8000, 8080] as const;
const PAGE = `http://127.0.0.1:${PUBLIC_PORT}/`;

t.test('a web server behind a NAT is published by -R at a daemon behind another one', async (t) => {
  if (!requirementsMet(t, ...LAB_REQUIREMENTS, tool('curl', 'curl'))) return;
  const lab = await Lab.up(t, { topology: 'nat', delay: 10 });
  const node = await startNodeAtHub(lab);
  const place = daemonPlace(t, node, '  port_mapping: false\n');
  await startDaemon(t, place, { prefix: lab.prefix('bob') });
  const control = await controlOf(t, place);
  const { link } = await control.call('invite.create', { name: 'laptop', allowReverse: [`${PUBLIC_PORT}`] });
  const [, toxId = '', secret = ''] = /^tuntox:\/\/([^/]+)\/([^/]+)/.exec(link?.link ?? '') ?? [];
  const web = lab.start('alice', 'web server', [
    'python3',
    '-u',
    '-m',
    'http.server',
    `${WEB_PORT}`,
    '--bind',
    '127.0.0.1',
  ]);
  await web.waitFor(/Serving/);
  const reverse = ['-R', `${PUBLIC_PORT}:127.0.0.1:${WEB_PORT}`, '--bootstrap', node];
  const client = startTuntoxIn(lab, 'alice', 'client', ['-i', toxId, ...reverse], { TUNTOX_SHARED_SECRET: secret });
  await client.waitFor(/the server listens on/);
  t.match(await lab.exec('bob', 'curl', '-sS', PAGE), /Directory listing/);
  await client.stop('SIGTERM');
  await t.rejects(lab.exec('bob', 'curl', '-sS', PAGE), /refused|connect/i);
});

/**
 * A real build of gjedeer/tuntox, which TUNTOX_UPSTREAM names. It always calls its built-in nodes on the internet, so all of
 * this runs where there is none. Its options and its faults: docs/interop.md.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { controlOf, daemonPlace, startDaemon } from '../scenario/support/daemon-command.js';
import { addressOf, C_PATIENCE, C_WORLD, startCPeer } from '../support/c-peer.js';
import { answerTo, requestLine } from '../support/exchange.js';
import { exchangeIn, NAMESPACES, startNamespace } from '../support/namespace.js';
import { freeTcpPort, freeUdpPort, startBootstrapd, startProgram, startTuntox } from '../support/processes.js';
import { namedBy, requirementsMet } from '../support/requirements.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const MIB = 1024 * 1024;
const SECRET = 'canary of upstream';
const SECRET_WRONG = 'canary guess';

interface Save {
  readonly id: string;
  readonly directory: string;
}

t.test('gjedeer/tuntox', async (t) => {
  if (!requirementsMet(t, namedBy('TUNTOX_UPSTREAM', 'a build of gjedeer/tuntox'), ...C_WORLD, ...NAMESPACES)) return;
  const namespace = await startNamespace();
  t.teardown(() => namespace.service.process.stop());
  const { prefix } = namespace;
  const node = await startBootstrapd({ prefix });
  t.teardown(() => node.process.stop());
  const network = ['--bootstrap', node.argument];
  const target = `127.0.0.1:${namespace.service.port}`;
  const directory = temporaryDirectory(t);

  /** A directory for upstream's -C with an identity that knows our node, which its -b would not. */
  const makeSave = async (name: string): Promise<Save> => {
    const path = join(directory, name);
    mkdirSync(path);
    const peer = await startCPeer(['make-save', '--save', join(path, 'tox_save'), ...network], { prefix });
    const id = await addressOf(peer);
    await peer.waitFor(/^SAVED/m, C_PATIENCE);
    await peer.exited;
    return { id, directory: path };
  };
  const startUpstream = async (name: string, args: readonly string[], secret = SECRET) => {
    const port = await freeUdpPort();
    const command = [process.env.TUNTOX_UPSTREAM as string, '-s', secret, '-t', '0', '-u', `${port}:${port}`, '-d'];
    const upstream = startProgram(name, [...command, ...args], { prefix });
    t.teardown(() => upstream.stop('SIGKILL'));
    return upstream;
  };
  const startOurs = (name: string, args: readonly string[], secret = SECRET) => {
    const ours = startTuntox([...args, ...network], { name, prefix, env: { TUNTOX_SHARED_SECRET: secret } });
    t.teardown(() => ours.stop('SIGKILL'));
    return ours;
  };

  const saves = await Promise.all(['server', 'forward', 'ping', 'wrong', 'socks'].map(makeSave));
  const [saveServer, saveForward, savePing, saveWrong, saveSocks] = saves as [Save, Save, Save, Save, Save];
  const theirs = await startUpstream('upstream server', ['-C', saveServer.directory]);
  const ours = startOurs('our server', ['-C', join(directory, 'ours')]);
  const id = (await ours.waitFor(/^([0-9A-F]{76})\n/))[1] as string;
  const [port, theirPort, theirSecondPort] = [await freeTcpPort(), await freeTcpPort(), await freeTcpPort()];
  // At once all that upstream takes its time for.
  // Its -L is good for one connection.
  const theirForward = await startUpstream('upstream forward', [
    ...['-C', saveForward.directory, '-i', id],
    ...['-L', `${theirPort}:${target}`, '-L', `${theirSecondPort}:${target}`],
  ]);
  const theirSocksPort = await freeTcpPort();
  await startUpstream('upstream socks', [...['-C', saveSocks.directory, '-i', id, '-D', `${theirSocksPort}`]]);
  const theirPing = await startUpstream('upstream ping', ['-C', savePing.directory, '-i', id, '-p']);
  const theirWrong = await startUpstream(
    'upstream with a wrong secret',
    ['-C', saveWrong.directory, '-i', id, '-p'],
    SECRET_WRONG,
  );
  const wrong = startOurs('our client with a wrong secret', ['-i', saveServer.id, '-p'], SECRET_WRONG);
  const forward = startOurs('our forward', ['-i', saveServer.id, '-L', `${port}:${target}`]);
  const ping = startOurs('our ping', ['-i', saveServer.id, '-p']);
  const pipe = startOurs('our pipe', ['-i', saveServer.id, '-W', target]);
  const byName = startOurs('our pipe to a service', ['-i', saveServer.id, '-W', 'web']);

  await t.test('our client and its server', async (t) => {
    t.equal(await ping.exited, 0, ping.stderr);
    t.comment(ping.stdout.trim());
    const small = { seed: 'pipe', up: 0, down: 20_000 };
    pipe.child.stdin.end(requestLine(small));
    t.equal(await pipe.exited, 0, pipe.stderr);
    t.ok(pipe.stdout === answerTo(small), 'every byte arrived through the pipe');
    t.comment((await forward.waitFor(/connected to [0-9A-F]{8} in.*/, C_PATIENCE))[0]);
    t.comment(`20 MiB down in ${await exchangeIn(namespace, port, { seed: 'down', up: 0, down: 20 * MIB })} ms`);
    t.comment(`1 MiB up in ${await exchangeIn(namespace, port, { seed: 'up', up: MIB, down: 0 })} ms`);
    const many = await exchangeIn(namespace, port, { seed: 'many', up: 20_000, down: 100_000 }, 10);
    t.comment(`10 connections at once, 20 kB up and 100 kB down each, in ${many} ms`);
  });

  await t.test('our client does not ask its server for a service, which it would look up as a host', async (t) => {
    t.equal(await byName.exited, 1, byName.stderr);
    t.match(byName.stderr, /HOST:PORT/);
    t.notMatch(theirs.stdout + theirs.stderr, /web/);
  });

  await t.test('its server refuses a wrong secret of ours', async (t) => {
    await theirs.waitFor(/differs from our shared secret/, C_PATIENCE);
    t.equal(wrong.stdout, '');
  });

  await t.test('its client and our server', async (t) => {
    await theirPing.waitFor(/GOT PONG/, C_PATIENCE);
    await theirForward.waitFor(/Bound to local port(.|\n)*Bound to local port/, C_PATIENCE);
    t.comment(`20 MiB down in ${await exchangeIn(namespace, theirPort, { seed: 'down', up: 0, down: 20 * MIB })} ms`);
    t.comment(`1 MiB up in ${await exchangeIn(namespace, theirSecondPort, { seed: 'up', up: MIB, down: 0 })} ms`);
  });

  const webPort = await freeTcpPort();
  const serve = `require('http').createServer((_, answer) => answer.end('hello')).listen(${webPort}, '::', () => console.log('ready'))`;
  const web = startProgram('web server', [process.execPath, '-e', serve], { prefix });
  t.teardown(() => web.stop('SIGKILL'));
  await web.waitFor(/ready/);
  const curl = async (url: string, ...proxy: readonly string[]) => {
    const words = ['curl', '-sS', '--max-time', '60', ...proxy, url];
    const command = startProgram('curl', words, { prefix });
    t.teardown(() => command.stop('SIGKILL'));
    return { status: await command.exited, said: command.stdout, errors: command.stderr };
  };

  await t.test(
    'its SOCKS client and our server: names, IPv6, several at once, and a target that refuses',
    async (t) => {
      const proxy = ['--socks5-hostname', `127.0.0.1:${theirSocksPort}`];
      const urls = ['localhost', '[::1]', '127.0.0.1'].map((host) => `http://${host}:${webPort}/`);
      for (const one of await Promise.all([...urls, ...urls].map((url) => curl(url, ...proxy))))
        t.equal(one.said, 'hello', one.errors);
      // Its client tells of success when it gets the ack, before the fin.
      t.match(await curl('http://127.0.0.1:9/', ...proxy), { status: 52 });
    },
  );

  await t.test('our -D and its server', async (t) => {
    const client = startOurs('our -D', ['-i', saveServer.id, '-D', '0']);
    const [, port] = await client.waitFor(/listening: 127\.0\.0\.1:([0-9]+)/);
    await client.waitFor(/connected to [0-9A-F]{8} in/, C_PATIENCE);
    for (const host of ['localhost', '127.0.0.1']) {
      const url = `http://${host}:${webPort}/`;
      for (const proxy of [
        ['--socks5-hostname', `127.0.0.1:${port}`],
        ['--socks4a', `127.0.0.1:${port}`],
        ['--proxytunnel', '--proxy', `http://127.0.0.1:${port}`],
      ])
        t.match(await curl(url, ...proxy), { status: 0, said: 'hello' }, `${host} by ${proxy[0]}`);
    }
  });

  await t.test(
    'its client redeems an invitation for a service of our daemon, reaches it alone, and a second client is refused',
    async (t) => {
      const place = daemonPlace(t, node.argument);
      const daemon = await startDaemon(t, place, { prefix });
      const control = await controlOf(t, place);
      await control.call('services.add', { name: 'web', target });
      const { link } = await control.call('invite.create', { name: 'upstream', allow: ['web'] });
      t.match(link?.commands.original, `:${target}`, 'its command has the target of the service');
      const [, , daemonId = '', invited = ''] = (link?.link ?? '').split('/');
      const [saveFirst, saveSecond] = [await makeSave('invited'), await makeSave('late')];
      const localPort = await freeTcpPort();
      const otherPort = await freeTcpPort();
      const forwards = ['-i', daemonId, '-L', `${localPort}:${target}`, '-L', `${otherPort}:127.0.0.1:9`];
      await startUpstream('invited upstream', ['-C', saveFirst.directory, ...forwards], invited);
      await daemon.waitFor(/invitation upstream \([a-z]{5}\): redeemed by [0-9A-F]{8}/, C_PATIENCE);
      t.comment(`1 MiB in ${await exchangeIn(namespace, localPort, { seed: 'invited', up: 0, down: MIB })} ms`);
      await t.rejects(exchangeIn(namespace, otherPort, { seed: 'other', up: 0, down: 1 }));
      await daemon.waitFor(/127\.0\.0\.1:9 refused: it is no service/, C_PATIENCE);
      const late = await startUpstream('late upstream', ['-C', saveSecond.directory, '-i', daemonId, '-p'], invited);
      await daemon.waitFor(/refused, its invitation has admitted as many clients as it may: upstream/, C_PATIENCE);
      t.notMatch(late.stdout + late.stderr, /GOT PONG/);
    },
  );

  await t.test(
    'its client uses a share by the line that this prints, reaches no other target, and notices its end',
    async (t) => {
      const share = startOurs('our share', ['share', target, '--uses', '1']);
      const line = /tuntox -i ([0-9A-F]{76}) -s (\S+) -L \d+:(\S+)/;
      const [, shareId = '', shared = '', shown] = await share.waitFor(line);
      t.equal(shown, target);
      const [save, localPort, otherPort] = [await makeSave('sharing'), await freeTcpPort(), await freeTcpPort()];
      const forwards = ['-i', shareId, '-L', `${localPort}:${target}`, '-L', `${otherPort}:127.0.0.1:9`];
      const sharing = await startUpstream('sharing upstream', ['-C', save.directory, ...forwards], shared);
      await share.waitFor(/^client [0-9A-F]{8} connected/m, C_PATIENCE);
      await sharing.waitFor(/Bound to local port(.|\n)*Bound to local port/, C_PATIENCE);
      t.comment(`1 MiB in ${await exchangeIn(namespace, localPort, { seed: 'shared', up: 0, down: MIB })} ms`);
      await t.rejects(exchangeIn(namespace, otherPort, { seed: 'other', up: 0, down: 1 }));
      await share.waitFor(/was refused 127\.0\.0\.1:9: no line of what is shared allows it/);
      t.equal(await share.stop('SIGINT'), 0);
      await sharing.waitFor(/Lost connection to server/, C_PATIENCE);
    },
  );

  await t.test('our server refuses a wrong secret of its client', async (t) => {
    const short = saveWrong.id.slice(0, 8);
    await ours.waitFor(new RegExp(`${short}: refused, it sent a wrong secret`), C_PATIENCE);
    t.notMatch(theirWrong.stdout + theirWrong.stderr, /GOT PONG/);
  });
});

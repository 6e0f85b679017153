/** The real daemon under a service manager: it notifies readiness, liveness and status. */
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { startNotifySocket } from '../platform/service-manager/support/notify-socket.js';
import { controlOf, daemonPlace, spawnDaemon } from './support/daemon-command.js';

t.test(
  'the daemon sends READY when its socket answers, then WATCHDOG, RELOADING with READY, and STOPPING',
  async (t) => {
    const manager = await startNotifySocket(t, 'path');
    const place = daemonPlace(t, undefined);
    const daemon = spawnDaemon(t, place, {
      env: { NOTIFY_SOCKET: manager.address, WATCHDOG_USEC: '2000000' },
    });
    await manager.waitFor('READY=1');
    t.match((await (await controlOf(t, place)).call('status', {})).daemon, { state: 'running', pid: daemon.pid });
    await manager.waitFor('WATCHDOG=1');
    daemon.kill('SIGHUP');
    await daemon.waitFor(/settings reloaded/);
    await manager.waitFor('RELOADING=1');
    const fed = (): number => manager.messages().filter((text) => text === 'WATCHDOG=1').length;
    for (const before = fed(); fed() === before; ) await sleep(50);
    t.equal(await daemon.stop('SIGTERM'), 0);
    const messages = manager.messages().map((text) => text.replace(/\n.*/s, ''));
    t.ok(
      messages.some((text) => text.startsWith('STATUS=no client is admitted')),
      messages.join('; '),
    );
    const order = messages.filter((text) => /^(READY|RELOADING|STOPPING)/.test(text));
    t.same(order, ['READY=1', 'RELOADING=1', 'READY=1', 'STOPPING=1']);
  },
);

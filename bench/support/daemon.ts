/** A `tuntoxd` in the private network, with a state directory, a configuration and a control socket of its own. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock.js';
import { ControlClient } from '../../src/control/client.js';
import { commandOf, type Process, startProgram, temporaryDirectory } from '../../test/support/processes.js';
import { keep } from './private-network.js';

/** ms for an order. */
const PATIENCE = 10_000;

export interface BenchDaemon {
  readonly process: Process;
  readonly toxId: string;
  readonly secret: string;
  /** Path of its control socket. */
  readonly socket: string;
}

/** Resolves when it is online, and admits clients with the secret. @param nodes HOST:PORT:KEY each */
export async function startDaemon(nodes: readonly string[]): Promise<BenchDaemon> {
  const directory = temporaryDirectory();
  const socket = join(directory, 'run', 'tuntoxd.sock');
  const config = join(directory, 'tuntox.yaml');
  const bootstrap = nodes.map((node) => `'${node}'`).join(', ');
  const state = `state_dir: ${join(directory, 'state')}\nsocket:\n  path: ${socket}\n`;
  writeFileSync(config, `${state}network:\n  bootstrap: [ ${bootstrap} ]\n`);
  const daemon = keep(
    startProgram('daemon', [...commandOf('tuntoxd'), '--config', config], {
      env: { ...process.env, NOTIFY_SOCKET: '' },
    }),
  );
  await daemon.waitFor(/is ready: /);
  const owner = await ControlClient.connect(systemClock, { path: socket, client: 'benchmark', timeout: PATIENCE });
  const { toxId } = await owner.call('id', {});
  const secret = randomBytes(16).toString('hex');
  await owner.call('secret.set', { secret });
  owner.close();
  await daemon.waitFor(/online/);
  return { process: daemon, toxId, secret, socket };
}

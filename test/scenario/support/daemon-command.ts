/** The real `tuntoxd`, with its own configuration and state, in a private network; asked over its control socket. */
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Test } from 'tap';
import { systemClock } from '../../../src/base/clock.js';
import { ControlClient } from '../../../src/control/client.js';
import { commandOf, PATIENCE, type Prefix, type Process, startProgram } from '../../support/processes.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { ORDINARY } from './ordinary-user.js';

export const TUNTOXD_COMMAND = commandOf('tuntoxd');

export interface DaemonPlace {
  readonly directory: string;
  readonly stateDirectory: string;
  readonly socket: string;
  readonly config: string;
}

/** @param node HOST:PORT:KEY of the network; undefined for one that does not exist */
export function daemonPlace(t: Test, node: string | undefined, more = ''): DaemonPlace {
  const directory = temporaryDirectory(t);
  const place = {
    directory,
    stateDirectory: join(directory, 'state'),
    socket: join(directory, 'run', 'tuntoxd.sock'),
    config: join(directory, 'tuntox.yaml'),
  };
  configure(place, node, more);
  return place;
}

/** For a daemon as another user: the settings are root's, the directories the user's. */
export function placeOfUser(t: Test, more = ''): DaemonPlace {
  const place = daemonPlace(t, undefined, more);
  chmodSync(place.directory, 0o755);
  for (const directory of [place.stateDirectory, dirname(place.socket)]) {
    mkdirSync(directory);
    chownSync(directory, ORDINARY, ORDINARY);
  }
  return place;
}

/** Writes the configuration again. */
export function configure({ config, stateDirectory, socket }: DaemonPlace, node: string | undefined, more = ''): void {
  const bootstrap = node ?? `127.0.0.1:9:${'E776E9A993EE3CAE04F5946D9AC66FBBAA8C63A95A94B41942353C6DC1739B4B'}`;
  const base = `state_dir: ${stateDirectory}\nsocket:\n  path: ${socket}\nnetwork:\n  bootstrap: [ '${bootstrap}' ]\n`;
  writeFileSync(config, base + more);
}

/** Runs it without waiting for anything. */
export function spawnDaemon(
  t: Test,
  { config }: DaemonPlace,
  options: { readonly args?: readonly string[]; readonly prefix?: Prefix; readonly env?: NodeJS.ProcessEnv } = {},
): Process {
  const { args = [], prefix, env = {} } = options;
  const daemon = startProgram('tuntoxd', [...TUNTOXD_COMMAND, '--config', config, ...args], {
    prefix,
    env: { ...process.env, NOTIFY_SOCKET: '', ...env },
  });
  t.teardown(() => daemon.stop('SIGKILL'));
  return daemon;
}

/** Resolves when the daemon reports that it is ready. */
export async function startDaemon(
  t: Test,
  place: DaemonPlace,
  options: Parameters<typeof spawnDaemon>[2] = {},
): Promise<Process> {
  const daemon = spawnDaemon(t, place, options);
  await daemon.waitFor(/is ready: /);
  return daemon;
}

export async function controlOf(t: Test, { socket }: DaemonPlace): Promise<ControlClient> {
  const control = await ControlClient.connect(systemClock, { path: socket, client: 'test', timeout: PATIENCE });
  t.teardown(() => control.close());
  return control;
}

/** The commands of a daemon's owner, and those of a user with a home of their own, whose agent ends with the test. */
import { join } from 'node:path';
import type { Test } from 'tap';
import { type Process, ROOT, startProgram, startTuntox } from '../../support/processes.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import type { DaemonPlace } from './daemon-command.js';

const TUNTOXCTL = ['env', '-u', 'NODE_OPTIONS', process.execPath, join(ROOT, 'dist/bin/tuntoxctl.js')];

/** Runs `tuntoxctl` to its end. @returns what it printed; rejects when it fails */
export type Control = (...words: readonly string[]) => Promise<string>;

export function controlCommand(t: Test, { socket }: DaemonPlace): Control {
  return async (...words) => {
    const command = startProgram('tuntoxctl', [...TUNTOXCTL, ...words, '--socket', socket]);
    t.teardown(() => command.stop('SIGKILL'));
    if ((await command.exited) !== 0) throw new Error(`tuntoxctl ${words.join(' ')}: ${command.stderr}`);
    return command.stdout;
  };
}

export interface User {
  readonly home: string;
  /** Starts `tuntox` with the nodes of the network, which an agent that it starts needs too. */
  readonly tuntox: (...words: readonly string[]) => Process;
}

/** @param node `--bootstrap` and its value */
export function newUser(t: Test, node: readonly string[]): User {
  const home = temporaryDirectory(t);
  const start = (words: readonly string[]): Process => startTuntox(words, { env: { HOME: home } });
  // The agent outlives the commands.
  t.teardown(() => start(['agent', 'stop']).exited);
  return {
    home,
    tuntox: (...words) => {
      const command = start([...words, ...node]);
      t.teardown(() => command.stop('SIGKILL'));
      return command;
    },
  };
}

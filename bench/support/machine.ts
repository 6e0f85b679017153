/** On what the figures of a benchmark were measured. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { ROOT } from '../../test/support/processes.js';

export interface Machine {
  readonly cores: number;
  readonly processor: string;
  /** Bytes. */
  readonly memory: number;
  readonly kernel: string;
  /** The congestion control of the kernel's TCP; "unknown" where there is no /proc. */
  readonly congestionControl: string;
  readonly node: string;
  /** As ISO 8601 has it, by UTC. */
  readonly date: string;
  /** Abbreviated, with a plus when the sources have been changed since. */
  readonly commit: string;
  /** Of the last minute before. */
  readonly load: number;
}

export function thisMachine(): Machine {
  return {
    cores: cpus().length,
    processor: cpus()[0]?.model ?? 'unknown',
    memory: totalmem(),
    kernel: release(),
    congestionControl: congestionControl(),
    node: process.version.slice(1),
    date: new Date().toISOString().slice(0, 10),
    commit: commit(),
    load: loadavg()[0] ?? Number.NaN,
  };
}

function congestionControl(): string {
  try {
    return readFileSync('/proc/sys/net/ipv4/tcp_congestion_control', 'latin1').trim();
  } catch {
    return 'unknown';
  }
}

function commit(): string {
  const git = (...args: readonly string[]): string =>
    execFileSync('git', args, { cwd: ROOT, encoding: 'latin1', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    const sources = ['src', 'bench', 'native', 'test/lab', 'test/support'];
    const isChanged = git('status', '--porcelain', '--untracked-files=no', '--', ...sources) !== '';
    return git('rev-parse', '--short=10', 'HEAD') + (isChanged ? '+' : '');
  } catch {
    return 'unknown';
  }
}

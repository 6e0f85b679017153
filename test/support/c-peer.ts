/** The peer of ours on libtoxcore (test/interop/tuntox_peer.c), compiled when a test first wants it. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Prefix, type Process, ROOT, startProgram } from './processes.js';
import { type Requirement, systemFile, tool } from './requirements.js';

const SOURCE = join(ROOT, 'test/interop/tuntox_peer.c');
const CACHE = join(ROOT, 'dist/interop');

/** As a client libtoxcore takes 10 s to connect, and once took 42: a guard against hanging, in ms. */
export const C_PATIENCE = 90_000;

/** What every test with a libtoxcore peer needs. */
export const C_WORLD: readonly Requirement[] = [
  tool('tox-bootstrapd', 'toxcore-utils'),
  tool('gcc', 'gcc'),
  systemFile('/usr/include/tox/tox.h', 'libtoxcore-dev'),
  systemFile('/usr/include/stdio.h', 'libc6-dev'),
];

let compiled: Promise<string> | undefined;

/** Once for each version of the source; files that compile it at the same time replace each other's equal result. */
async function compile(): Promise<string> {
  const version = createHash('sha256').update(readFileSync(SOURCE)).digest('hex').slice(0, 16);
  const program = join(CACHE, `tuntox_peer-${version}`);
  if (existsSync(program)) return program;
  mkdirSync(CACHE, { recursive: true });
  const unfinished = `${program}.${process.pid}`;
  await promisify(execFile)('gcc', ['-O2', '-Wall', '-Wextra', '-Werror', '-o', unfinished, SOURCE, '-ltoxcore']);
  renameSync(unfinished, program);
  return program;
}

/** Starts the C peer; modes, options and lines are in docs/interop.md. */
export async function startCPeer(
  args: readonly string[],
  options: { readonly name?: string; readonly prefix?: Prefix } = {},
): Promise<Process> {
  compiled ??= compile();
  const command = [await compiled, ...args, '--die-with-parent'];
  return startProgram(options.name ?? `C ${args[0]}`, command, options);
}

/** Resolves with the Tox ID, which is among the first lines. */
export async function addressOf(peer: Process): Promise<string> {
  return (await peer.waitFor(/^ADDRESS ([0-9A-F]{76})$/m))[1] as string;
}

/** Resolves when the C peer's friend, by its number, is connected. */
export async function friendOnline(peer: Process, number = 0): Promise<void> {
  await peer.waitFor(new RegExp(`^FRIEND ${number} (udp|tcp)$`, 'm'), C_PATIENCE);
}

/** The port of the C client's first `-L`. */
export async function listeningPort(peer: Process): Promise<number> {
  return Number((await peer.waitFor(/^LISTEN (\d+) /m))[1]);
}

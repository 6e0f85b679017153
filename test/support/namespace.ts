/** A network namespace with nothing but loopback, which is gone with the last process in it; needs root. */
import { join } from 'node:path';
import type { Exchange } from './exchange.js';
import { type Prefix, type Process, ROOT, startProgram } from './processes.js';
import { type Requirement, root, tool } from './requirements.js';

const EXCHANGE_COMMAND = join(ROOT, 'dist/test/support/exchange-command.js');

/** What a test in a namespace needs. */
export const NAMESPACES: readonly Requirement[] = [
  root('make a network namespace'),
  tool('unshare', 'util-linux'),
  tool('nsenter', 'util-linux'),
  tool('ip', 'iproute2'),
];

export interface Namespace {
  /** Puts a command into it. */
  readonly prefix: Prefix;
  /** An exchange service that runs in it, and without which it ends. */
  readonly service: { readonly process: Process; readonly port: number };
}

/** @throws Error (rejects) when anything but loopback is in it */
export async function startNamespace(): Promise<Namespace> {
  const serve = 'ip link set lo up && exec "$0" "$@"';
  const command = ['unshare', '--net', 'sh', '-c', serve, process.execPath, EXCHANGE_COMMAND, 'serve'];
  const service = startProgram('exchange service', command);
  const port = Number((await service.waitFor(/^PORT (\d+)$/m))[1]);
  const prefix = ['nsenter', `--net=/proc/${service.pid}/ns/net`];
  const links = startProgram('ip', [...prefix, 'ip', '-o', 'link']);
  await links.exited;
  if (!/^1: lo:.*\n$/.test(links.stdout)) throw new Error(`the namespace is not closed off: ${links.stdout}`);
  return { prefix, service: { process: service, port } };
}

/** Does exchanges at once through a port in the namespace. @returns ms @throws Error (rejects) when not all is whole */
export async function exchangeIn(
  { prefix }: Namespace,
  port: number,
  { seed, up, down }: Exchange,
  count = 1,
): Promise<number> {
  const args = [port, seed, up, down, count].map(String);
  const command = startProgram(`exchange ${seed}`, [process.execPath, EXCHANGE_COMMAND, ...args], { prefix });
  const status = await command.exited;
  if (status !== 0) throw new Error(`exchange ${seed} ended with ${status}: ${command.stderr}`);
  return Number(/^WHOLE (\d+) ms$/m.exec(command.stdout)?.[1]);
}

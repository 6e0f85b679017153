/**
 * Has calls of Node fail as they do where the system refuses: in the bindings below Node's own code where that is possible, so that
 * what Node makes of it is what our code meets. Loaded before a command (`node --import`), it reads from FAILING_CALLS what is to fail:
 * `os.networkInterfaces=EMFILE@2` is the second call of that name, and several stand with blanks between them.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import os, { constants } from 'node:os';

type Call = (this: unknown, ...args: unknown[]) => unknown;
type Holder = Record<string, Call>;
type Prototypes = Record<string, { readonly prototype: Holder }>;

const binding = (name: string): unknown => (process as unknown as { binding(name: string): unknown }).binding(name);
const prototypeOf = (name: string, of: string): Holder => (binding(name) as Prototypes)[of]?.prototype as Holder;

/** libuv's numbers are those of the system, below zero. */
const errnoOf = (code: string): number => -(constants.errno as unknown as Record<string, number>)[code]!;

const thrown = (code: string): never => {
  throw Object.assign(new Error(`${code}: injected`), { code, errno: errnoOf(code) });
};

/** What Node throws of a call of node:os. */
const systemError = (code: string): never => {
  throw Object.assign(new Error('A system error occurred'), {
    code: 'ERR_SYSTEM_ERROR',
    info: { errno: -errnoOf(code) },
  });
};

interface Place {
  readonly holders: () => readonly (readonly [holder: Holder, names: readonly string[]])[];
  readonly fail: (code: string) => unknown;
}

const inFs = (...names: string[]): Place => ({ holders: () => [[fs as unknown as Holder, names]], fail: thrown });

export const PLACES: Readonly<Record<string, Place>> = {
  'os.networkInterfaces': { holders: () => [[os as unknown as Holder, ['networkInterfaces']]], fail: systemError },
  'process.memoryUsage.rss': {
    holders: () => [[process.memoryUsage as unknown as Holder, ['rss']]],
    fail: systemError,
  },
  'child_process.spawn': { holders: () => [[prototypeOf('process_wrap', 'Process'), ['spawn']]], fail: errnoOf },
  'child_process.spawnSync': {
    holders: () => [[binding('spawn_sync') as Holder, ['spawn']]],
    fail: (code) => ({ error: errnoOf(code), pid: 0, status: null, signal: null, output: null }),
  },
  'dgram.bind': { holders: () => [[prototypeOf('udp_wrap', 'UDP'), ['bind', 'bind6']]], fail: errnoOf },
  'net.listen': {
    holders: () => [
      [prototypeOf('tcp_wrap', 'TCP'), ['bind', 'bind6']],
      [prototypeOf('pipe_wrap', 'Pipe'), ['bind']],
    ],
    fail: errnoOf,
  },
  'net.connect': {
    holders: () => [
      [prototypeOf('tcp_wrap', 'TCP'), ['connect', 'connect6']],
      [prototypeOf('pipe_wrap', 'Pipe'), ['connect']],
    ],
    fail: errnoOf,
  },
  'fs.read': inFs('readFileSync', 'readSync', 'openSync'),
  'fs.look': inFs('statSync', 'lstatSync', 'fstatSync', 'existsSync', 'realpathSync', 'readlinkSync', 'accessSync'),
};

/** From now on the `at`th call of that name fails, once. */
export function failCall(name: string, code: string, at = 1, onFailed: () => void = () => {}): void {
  const place = PLACES[name];
  if (place === undefined) throw new Error(`failing-calls: no call ${name}`);
  let count = 0;
  for (const [holder, names] of place.holders()) {
    for (const one of names) {
      const real = holder[one] as Call;
      holder[one] = function failing(this: unknown, ...args: unknown[]): unknown {
        count += 1;
        if (count !== at) return real.apply(this, args);
        onFailed();
        return place.fail(code);
      };
    }
  }
  syncBuiltinESMExports();
}

const write = fs.writeSync;
for (const text of (process.env.FAILING_CALLS ?? '').split(' ')) {
  const [, name = '', code = '', at] = /^(.+)=([A-Z0-9]+)@(\d+)$/.exec(text) ?? [];
  if (name !== '') failCall(name, code, Number(at), () => void write(2, `FAILED ${name}\n`));
}

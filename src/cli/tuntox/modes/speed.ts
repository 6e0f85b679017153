/** `tuntox speed NAME`: how fast bytes come from the server, and go to it. */
import { Readable, Writable } from 'node:stream';
import { type Clock, systemClock } from '../../../base/clock.js';
import { CodedError } from '../../../base/coded-error.js';
import { writeResult } from '../../../base/result-output.js';
import { REPORT_SIZE, SPEED_SINK, SPEED_SOURCE } from '../../../base/speed-test.js';
import { bytesText } from '../../../base/units.js';
import { type SpeedSettings, serverName } from '../../../config/classic-settings.js';
import type { Remote } from '../../../engine/agent/agent-remote.js';
import { ServerError } from '../../../engine/client/server-error.js';
import { canRewrite } from '../../status-line.js';
import type { Context } from '../context.js';
import { ExitStatus, statusOf } from '../exit-status.js';

/** ms of each direction, and between two figures. */
const LASTING = 8_000;
const STEP = 500;
/** The first part of a direction is the growth of the rate, and is not counted in the result. */
const WARM_UP = 2_000;
const BLOCK = 64 * 1024;
const LEVELS = '▁▂▃▄▅▆▇█';

type Direction = 'down' | 'up';

/** One direction: its streams, and the bytes that have arrived at the other end. */
interface Transfer {
  readonly target: typeof SPEED_SOURCE;
  readonly stdin: Readable;
  readonly stdout: Writable;
  arrived(): number;
  /** Ends our direction; the server then ends its own. */
  end(): void;
}

export async function speed(settings: SpeedSettings, server: Remote, context: Context): Promise<number> {
  const name = serverName(settings);
  let isOver = false;
  const show = (text: string): void => {
    if (!isOver) draw(context, text);
  };
  try {
    return await context.stopping.orStatusOf(
      measureBoth(name, server, { stdout: context.stdout, tell: context.tell, show }),
    );
  } catch (error) {
    if (!(error instanceof CodedError) || error instanceof ServerError) throw error;
    const isMissing = ['bad-request', 'no-services', 'not-allowed'].includes(error.code);
    const message = isMissing
      ? `${name} offers no speed test: it is an older version or an original tuntox, or its owner has turned it off`
      : error.message;
    context.log.error(message);
    context.tell?.({ event: 'error', code: error.code, message });
    return statusOf(error.code);
  } finally {
    // Also after Ctrl-C in the midst of it.
    show('');
    isOver = true;
  }
}

async function measureBoth(
  name: string,
  server: Remote,
  context: Pick<Context, 'stdout' | 'tell'> & { readonly show: (text: string) => void },
): Promise<number> {
  await Promise.race([server.online, server.givenUp]);
  for (const direction of ['down', 'up'] as const) {
    const transfer = direction === 'down' ? download() : upload();
    const rates = await measure(transfer, server, systemClock, (past) =>
      context.show(`${direction.padEnd(4)}  ${rateText(past.at(-1) ?? 0)}  ${plot(past)}`),
    );
    context.show('');
    const counted = rates.slice(WARM_UP / STEP);
    const bytesPerSecond = Math.round(counted.reduce((sum, one) => sum + one, 0) / Math.max(1, counted.length));
    context.tell?.({ event: 'speed', direction, bytesPerSecond });
    if (context.tell === undefined) {
      await writeResult(context.stdout, `${label(name, direction)}  ${rateText(bytesPerSecond)}  ${plot(rates)}\n`);
    }
  }
  return ExitStatus.Ok;
}

const label = (name: string, direction: Direction): string => `${direction === 'down' ? 'from' : 'to  '} ${name}`;
const rateText = (rate: number): string => `${bytesText(rate)}/s`.padStart(11);

/** @returns bytes per second in each step @throws TunnelError, AgentError */
async function measure(
  transfer: Transfer,
  server: Remote,
  clock: Clock,
  onStep: (rates: readonly number[]) => void,
): Promise<readonly number[]> {
  const rates: number[] = [];
  let [at, arrived] = [clock.now(), 0];
  const timer = clock.every(STEP, () => {
    const [now, count] = [clock.now(), transfer.arrived()];
    rates.push(((count - arrived) * 1000) / Math.max(1, now - at));
    [at, arrived] = [now, count];
    onStep(rates);
  });
  const over = clock.after(LASTING + STEP / 2, () => {
    timer.cancel();
    transfer.end();
  });
  try {
    await server.pipe(transfer.target, transfer);
  } finally {
    timer.cancel();
    over.cancel();
    transfer.stdin.destroy();
    transfer.stdout.destroy();
  }
  return rates;
}

function download(): Transfer {
  let count = 0;
  const stdin = new Readable({ read: () => {} });
  const stdout = new Writable({
    write: (bytes: Buffer, _encoding, done) => {
      count += bytes.length;
      done();
    },
  });
  return { target: SPEED_SOURCE, stdin, stdout, arrived: () => count, end: () => void stdin.push(null) };
}

function upload(): Transfer {
  const block = Buffer.alloc(BLOCK, 0x5a);
  let isOver = false;
  const stdin: Readable = new Readable({ highWaterMark: BLOCK, read: () => void (isOver || stdin.push(block)) });
  let count = 0;
  let rest: Buffer = Buffer.alloc(0);
  const stdout = new Writable({
    write: (bytes: Buffer, _encoding, done) => {
      const all = Buffer.concat([rest, bytes]);
      const whole = all.length - (all.length % REPORT_SIZE);
      if (whole > 0) count = Number(all.readBigUInt64BE(whole - REPORT_SIZE));
      rest = all.subarray(whole);
      done();
    },
  });
  const end = (): void => {
    isOver = true;
    stdin.push(null);
  };
  return { target: SPEED_SINK, stdin, stdout, arrived: () => count, end };
}

/** Rewrites the line at the cursor; an empty text leaves nothing of it. */
function draw({ stdout, environment, tell }: Context, text: string): void {
  if (tell !== undefined || !canRewrite(stdout as { readonly isTTY?: boolean }, environment)) return;
  stdout.write(`\r\x1b[K${text}\r`);
}

/** One character for each step, relative to the fastest. */
function plot(rates: readonly number[]): string {
  const most = Math.max(1, ...rates);
  return rates.map((rate) => LEVELS[Math.min(LEVELS.length - 1, Math.floor((rate / most) * LEVELS.length))]).join('');
}

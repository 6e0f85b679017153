/** The server's end of a speed test: a source of bytes, or a sink that counts them (base/speed-test). */
import { Readable, Writable } from 'node:stream';
import type { Clock, Timer } from '../../base/clock.js';
import { REPORT_SIZE, SPEED_SOURCE } from '../../base/speed-test.js';
import type { LocalEnd } from '../stream/local-end.js';
import type { Target } from '../wire/target.js';

/** Bytes that are sent at a time; they are encrypted, so no path can compress them. */
const BLOCK = 64 * 1024;
/** ms between reports of the sink. */
const REPORT_INTERVAL = 200;
/** ms after which a test ends, whatever the client does. */
const LONGEST = 60_000;

export function speedTestEnd(clock: Clock, { host }: Target): LocalEnd {
  const { source, sink, end: endSource } = host === SPEED_SOURCE.host ? endless() : counting(clock);
  const timeout = clock.after(LONGEST, endSource);
  const end = (): void => {
    timeout.cancel();
    source.destroy();
    sink.destroy();
  };
  for (const stream of [source, sink]) stream.on('error', () => {});
  return {
    source,
    sink,
    lingers: false,
    localPort: undefined,
    remoteAddress: undefined,
    probe: (onIntact) => onIntact(),
    reset: end,
    destroy: end,
  };
}

interface Test {
  readonly source: Readable;
  readonly sink: Writable;
  /** Ends the server's direction; has an effect once. */
  end(): void;
}

function endless(): Test {
  const block = Buffer.alloc(BLOCK, 0x5a);
  let isOver = false;
  const source: Readable = new Readable({ highWaterMark: BLOCK, read: () => void (isOver || source.push(block)) });
  const end = (): void => {
    if (!isOver) source.push(null);
    isOver = true;
  };
  const sink = new Writable({
    write: (_bytes, _encoding, done) => done(),
    // A client that has seen enough ends its direction.
    final: (done) => {
      end();
      done();
    },
  });
  return { source, sink, end };
}

function counting(clock: Clock): Test {
  let count = 0n;
  let reported = -1n;
  const source = new Readable({ read: () => {} });
  const report = (): void => {
    // One that the client has not read is enough.
    if (count === reported || source.readableLength > 0) return;
    reported = count;
    const bytes = Buffer.alloc(REPORT_SIZE);
    bytes.writeBigUInt64BE(count);
    source.push(bytes);
  };
  const timer: Timer = clock.every(REPORT_INTERVAL, report);
  source.on('close', () => timer.cancel());
  let isOver = false;
  const end = (): void => {
    timer.cancel();
    if (isOver) return;
    isOver = true;
    report();
    source.push(null);
  };
  const sink = new Writable({
    write: (bytes: Buffer, _encoding, done) => {
      count += BigInt(bytes.length);
      done();
    },
    final: (done) => {
      end();
      done();
    },
  });
  return { source, sink, end };
}

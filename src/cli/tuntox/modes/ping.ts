/** `-p`: measures the round-trip time to the server. */
import { CodedError } from '../../../base/coded-error.js';
import { OutputError, writeResult } from '../../../base/result-output.js';
import { type PingSettings, serverName } from '../../../config/classic-settings.js';
import type { Remote } from '../../../engine/agent/agent-remote.js';
import { ServerError } from '../../../engine/client/server-error.js';
import type { Context } from '../context.js';
import { ExitStatus, statusOf } from '../exit-status.js';

/** Round trips, one after another. */
const COUNT = 4;

export async function ping(settings: PingSettings, server: Remote, context: Context): Promise<number> {
  try {
    return await context.stopping.orStatusOf(pingAll(settings, server, context));
  } catch (error) {
    if (!(error instanceof CodedError) || error instanceof ServerError) throw error;
    if (error instanceof OutputError && error.code === 'closed-pipe') return ExitStatus.ClosedPipe;
    const isUnanswered = error.code === 'timeout';
    const message = isUnanswered ? 'the server did not answer a ping within 10 s: try again' : error.message;
    context.log.error(message);
    context.tell?.({ event: 'error', code: isUnanswered ? 'no-answer' : error.code, message });
    return isUnanswered ? ExitStatus.Timeout : statusOf(error.code);
  }
}

async function pingAll(settings: PingSettings, server: Remote, { stdout, tell }: Context): Promise<number> {
  const roundTrips: number[] = [];
  const name = serverName(settings);
  while (roundTrips.length < COUNT) {
    const roundTrip = await server.ping();
    roundTrips.push(roundTrip);
    if (tell === undefined) await writeResult(stdout, `${name}: ${inMilliseconds(roundTrip)}\n`);
    else tell({ event: 'pong', rttMs: roundTrip });
  }
  const average = roundTrips.reduce((sum, one) => sum + one, 0) / COUNT;
  const [min, max] = [Math.min(...roundTrips), Math.max(...roundTrips)];
  if (tell !== undefined) {
    tell({ event: 'round-trips', count: COUNT, minMs: min, averageMs: average, maxMs: max });
    return ExitStatus.Ok;
  }
  await writeResult(
    stdout,
    `${COUNT} round trips: min ${inMilliseconds(min)}, average ${inMilliseconds(average)}, max ${inMilliseconds(max)}\n`,
  );
  return ExitStatus.Ok;
}

const inMilliseconds = (value: number): string => `${value.toFixed(value < 10 ? 2 : 0)} ms`;

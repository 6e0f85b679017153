/** `-p`: how long a packet takes to the server and back. */
import type { PingSettings } from '../../../config/classic-settings.js';
import type { RemoteServer } from '../../../engine/remote-server.js';
import type { Context } from '../context.js';
import { ExitStatus } from '../exit-status.js';

/** One says little, and each goes out when the one before is back. */
const COUNT = 4;

export async function ping(settings: PingSettings, server: RemoteServer, context: Context): Promise<number> {
  return context.stopping.orStatusOf(pingAll(settings, server, context));
}

async function pingAll(settings: PingSettings, server: RemoteServer, { stdout }: Context): Promise<number> {
  const roundTrips: number[] = [];
  while (roundTrips.length < COUNT) {
    const roundTrip = await server.ping();
    roundTrips.push(roundTrip);
    stdout.write(`${settings.serverId.publicKey.short}: ${inMilliseconds(roundTrip)}\n`);
  }
  const average = roundTrips.reduce((sum, one) => sum + one, 0) / COUNT;
  const [least, most] = [Math.min(...roundTrips), Math.max(...roundTrips)];
  stdout.write(
    `${COUNT} round trips: least ${inMilliseconds(least)}, average ${inMilliseconds(average)}, most ${inMilliseconds(most)}\n`,
  );
  return ExitStatus.Ok;
}

const inMilliseconds = (value: number): string => `${value.toFixed(value < 10 ? 2 : 0)} ms`;

/** Runs one mode of the command between the first log line and the last. */
import { systemClock } from '../../base/clock.js';
import type { Logger } from '../../base/logger.js';
import type { RunSettings } from '../../config/classic-settings.js';
import { describeProxy } from '../../config/proxy.js';
import { onStopSignal } from '../../platform/signals.js';
import { closePipeAtEnd } from '../../platform/standard-output.js';
import { winstonLogger } from '../../platform/winston-logger.js';
import { type Context, Stopping } from './context.js';
import { runClient } from './modes/client.js';
import { runNode } from './modes/node.js';
import { runServer } from './modes/server.js';

/**
 * @returns the exit status
 * @throws UsageError, and CodedErrors of all kinds that say why it did not work
 */
export async function run(process: NodeJS.Process, settings: RunSettings): Promise<number> {
  const log = winstonLogger(process.stderr, {
    level: settings.logLevel,
    hasTime: settings.logLevel === 'debug' || settings.logLevel === 'trace',
    hasColour: process.stderr.isTTY === true && !process.env.NO_COLOR,
  });
  const stopping = new Stopping();
  const release = onStopSignal(process, (signal) => {
    log.debug(`stopping because of ${signal}; once more ends at once`);
    stopping.ask(signal);
  });
  // Whoever read our output may go away; what that means is for the mode to say.
  process.stdout.on('error', () => {});
  closePipeAtEnd(process.stdout, systemClock);
  const context: Context = {
    log,
    // Only when it is asked for: to look at it is to take hold of it.
    get stdin() {
      return process.stdin;
    },
    stdout: process.stdout,
    stopping,
  };
  tellOfProxy(settings, log);
  try {
    switch (settings.mode) {
      case 'server':
        return await runServer(settings, context);
      case 'node':
        return await runNode(settings, context);
      default:
        return await runClient(settings, context);
    }
  } finally {
    release();
  }
}

function tellOfProxy({ proxy }: RunSettings, log: Logger): void {
  if (proxy === undefined) return;
  log.info(`everything goes through the proxy ${describeProxy(proxy.address)}, or nowhere`);
  if (proxy.from === 'flag' && proxy.address.credentials !== undefined) {
    log.warn('other users of this machine can see the password after --proxy: use ALL_PROXY');
  }
}

/** `config`, `log`, `metrics`: operating the daemon. */
import { rfc3339 } from '../../base/clock.js';
import type { MethodHandlers } from '../../control/protocol.js';
import type { LogLine, MethodContext } from './context.js';
import { aborted } from './repeat.js';

type Deps = Pick<MethodContext, 'configuration' | 'log' | 'logging' | 'metrics'>;
type Names = 'config.show' | 'config.check' | 'config.reload' | 'log.tail' | 'log.level' | 'metrics';

export function upkeepMethods({ configuration, log, logging, metrics }: Deps): Pick<MethodHandlers, Names> {
  return {
    'config.show': () => configuration.show(),
    'config.check': () => configuration.check(),
    'config.reload': ({ confirmed, dryRun }) => configuration.reload(dryRun, confirmed),
    'log.tail': async ({ lines, follow }, emit, { signal }) => {
      const send = (line: LogLine): boolean => emit({ schema: 'tuntox.log-line/1', ...line, at: rfc3339(line.at) });
      for (const line of logging.last(lines)) send(line);
      if (!follow) return;
      const end = logging.follow((line) => void send(line));
      await aborted(signal);
      end();
    },
    'log.level': ({ level, dryRun }) => {
      const before = logging.level;
      if (!dryRun) {
        logging.level = level;
        log.info(`log level changed to ${level}`);
      }
      return { schema: 'tuntox.log-level/1', before, now: level };
    },
    metrics: async () => ({ schema: 'tuntox.metrics/1', text: await metrics() }),
  };
}

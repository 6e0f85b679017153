/** `config`, `log`, `metrics`: keeping the daemon. */
import type { MethodHandlers } from '../../control/method-handlers.js';
import type { MethodContext } from './context.js';
import { aborted } from './streams.js';

type Deps = Pick<MethodContext, 'configuration' | 'log' | 'logging' | 'metrics'>;
type Names = 'config.show' | 'config.check' | 'config.reload' | 'log.tail' | 'log.level' | 'metrics';

export function upkeepMethods({ configuration, log, logging, metrics }: Deps): Pick<MethodHandlers, Names> {
  return {
    'config.show': () => configuration.show(),
    'config.check': () => configuration.check(),
    'config.reload': ({ confirmed, dryRun }) => configuration.reload(dryRun, confirmed),
    'log.tail': async ({ lines, follow }, emit, { signal }) => {
      const send = (line: ReturnType<typeof logging.last>[number]): boolean =>
        emit({ schema: 'tuntox.log-line/1', ...line });
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
        log.info(`the log level is ${level} now`);
      }
      return { schema: 'tuntox.log-level/1', before, now: level };
    },
    metrics: async () => ({ schema: 'tuntox.metrics/1', text: await metrics() }),
  };
}

/** Whether and how a person at a terminal sees the progress of a connection. */
import { systemClock } from '../../base/clock.js';
import type { Logger } from '../../base/logger.js';
import type { RunSettings } from '../../config/classic-settings.js';
import { canRewrite, type StatusLine } from '../status-line.js';
import type { Display } from './context.js';
import { Progress } from './progress.js';

/** A line that is rewritten needs a terminal, and would be torn by many lines of the log. */
export function mayShowProgress(settings: RunSettings, { stderr, env }: NodeJS.Process): boolean {
  const { logLevel, isSyslog, isJson } = settings;
  const isClient = 'serverId' in settings;
  return (
    isClient && (logLevel === 'info' || logLevel === 'warn') && !isSyslog && isJson !== true && canRewrite(stderr, env)
  );
}

export const displayOn = (line: StatusLine, log: Logger): Display => ({
  follow(server, options) {
    const progress = new Progress({ clock: systemClock, line, log }, options);
    const ignore = server.watch(progress.onEvent);
    return () => {
      ignore();
      progress.end();
    };
  },
});

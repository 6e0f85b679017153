/** The settings of `tuntox agent start` and `run`, and when a process ends that nobody uses. */
import type { AgentSettings, CommonSettings } from '../../../config/classic-settings.js';
import { parseTimeout } from '../../../config/formats.js';
import { AGENT_WORDS } from '../commands.js';
import type { FlagSet } from '../flag-set.js';
import { UsageError } from '../usage-error.js';
import { networkOptionsOf } from './network-options.js';

/** ms; as long as OpenSSH users choose for ControlPersist. */
const DEFAULT_IDLE_TIMEOUT = 10 * 60_000;

/** @param byDefault ms; undefined never ends */
export function idleTimeoutOf(flags: FlagSet, byDefault: number | undefined): number | undefined {
  const timeout = flags.all('--idle-timeout', parseTimeout).at(-1) ?? byDefault;
  return timeout === 0 ? undefined : timeout;
}

/** @throws UsageError */
export function agentSettings(word: string | undefined, flags: FlagSet, common: CommonSettings): AgentSettings {
  if (word !== undefined && !AGENT_WORDS.includes(word)) {
    throw new UsageError(`there is no "tuntox agent ${word}": use start, run, status or stop`);
  }
  return {
    ...common,
    secret: { from: 'nowhere' },
    mode: 'agent',
    service: { isBackground: word !== 'run', pidFile: undefined, user: undefined },
    idleTimeout: idleTimeoutOf(flags, DEFAULT_IDLE_TIMEOUT),
    networkOptions: networkOptionsOf(flags.given),
  };
}

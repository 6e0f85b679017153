/** What a reload can do at once, and what has to wait for the next start. */
import type { EffectiveSetting } from './daemon-settings.js';

/** Groups of settings that take effect while the daemon runs; the others are in sockets, files and rights that it has taken. */
const CHANGEABLE: ReadonlySet<string> = new Set(['log', 'access', 'targets', 'http']);

export interface SettingChanges {
  readonly atOnce: readonly string[];
  readonly needRestart: readonly string[];
}

type Effective = ReadonlyMap<string, EffectiveSetting>;

/** By value: where a value comes from makes no difference. */
export function changesBetween(before: Effective, after: Effective): SettingChanges {
  const changed = [...after.values()]
    .filter(({ key, value }) => JSON.stringify(value) !== JSON.stringify(before.get(key)?.value))
    .map(({ key }) => key);
  const canChange = (key: string): boolean => CHANGEABLE.has(key.split('.', 1)[0] as string);
  return { atOnce: changed.filter(canChange), needRestart: changed.filter((key) => !canChange(key)) };
}

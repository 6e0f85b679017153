/** Which changes of settings a reload applies, and which need a restart. */
import type { EffectiveSetting } from './daemon-settings.js';

/** The groups of settings that a reload applies. The others are about sockets, files and permissions that exist since the start. */
const CHANGEABLE: ReadonlySet<string> = new Set(['log', 'access', 'targets', 'http']);

export interface SettingChanges {
  readonly atOnce: readonly string[];
  readonly needRestart: readonly string[];
}

type Effective = ReadonlyMap<string, EffectiveSetting>;

/** Compares values; where they come from makes no difference. */
export function changesBetween(before: Effective, after: Effective): SettingChanges {
  const changed = [...after.values()]
    .filter(({ key, value }) => JSON.stringify(value) !== JSON.stringify(before.get(key)?.value))
    .map(({ key }) => key);
  const canChange = (key: string): boolean => CHANGEABLE.has(key.split('.', 1)[0] as string);
  return { atOnce: changed.filter(canChange), needRestart: changed.filter((key) => !canChange(key)) };
}

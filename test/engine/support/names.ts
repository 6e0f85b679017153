/** Names of settings, as the classic command has them. */
import type { SettingNames } from '../../../src/engine/state/setting-names.js';

export const NAMES: SettingNames = {
  whenInUse: 'let it carry all connections',
  directory: '-C',
  nodes: '-b',
  proxy: '--proxy',
  timeout: '--timeout',
};

/** What errors of the engine call the settings of this command. */
import type { SettingNames } from '../../engine/state/setting-names.js';

export const FLAG_NAMES: SettingNames = {
  directory: '-C',
  whenInUse: "let it carry all connections (several -L, or ssh's ControlMaster)",
  nodes: '-b or --bootstrap',
  proxy: '--proxy or ALL_PROXY',
  timeout: '--timeout',
};

/** What errors of the engine call the settings of this command. */
import type { CommonSettings } from '../../config/classic-settings.js';
import type { SettingNames } from '../../engine/state/setting-names.js';

export const FLAG_NAMES: SettingNames = {
  directory: '-C',
  whenInUse: "let it carry all connections (several -L, or ssh's ControlMaster)",
  nodes: '-b or --bootstrap',
  proxy: '--proxy or ALL_PROXY',
  timeout: '--timeout',
};

/** Returns the names for a command whose proxy may be that of the user's daemon. */
export const namesOf = ({ proxy }: Pick<CommonSettings, 'proxy'>): SettingNames =>
  proxy?.from === 'settings' ? { ...FLAG_NAMES, proxy: '--proxy, or network.proxy of your tuntoxd' } : FLAG_NAMES;

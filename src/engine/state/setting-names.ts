/** What those who run an identity call its settings, for errors that say which one to change. */
export interface SettingNames {
  readonly directory: string;
  readonly nodes: string;
  readonly proxy: string;
}

/** Of the classic command. */
export const FLAGS: SettingNames = { directory: '-C', nodes: '-b or --bootstrap', proxy: '--proxy or ALL_PROXY' };

/** Of the daemon, whose owner has a file of them. */
export const SETTINGS: SettingNames = {
  directory: 'state_dir in the settings',
  nodes: 'network.bootstrap or network.nodes_file',
  proxy: 'network.proxy in the settings',
};

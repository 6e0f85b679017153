/** What errors call the settings of a program, so that they say which one to change. */
export interface SettingNames {
  /** The directory of the identity. */
  readonly directory: string;
  /** What else to do when another process uses the identity. */
  readonly whenInUse?: string;
  /** The bootstrap nodes. */
  readonly nodes: string;
  readonly proxy: string;
  /** How long a client waits for its server; a server has no such setting. */
  readonly timeout?: string;
}

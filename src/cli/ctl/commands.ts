/** The one table of all commands, in the order of help: from each noun to the file that has its verbs. */
import type { Command } from './command.js';

/** Loaded when they are needed: an order loads its own noun only, help and completion all of them. */
const NOUNS: Readonly<Record<string, () => Promise<readonly Command[]>>> = {
  status: async () => (await import('./commands/status.js')).STATUS_COMMANDS,
  id: async () => (await import('./commands/identity.js')).IDENTITY_COMMANDS,
  connections: async () => (await import('./commands/connections.js')).CONNECTION_COMMANDS,
  clients: async () => (await import('./commands/clients.js')).CLIENT_COMMANDS,
  whitelist: async () => [
    ...(await import('./commands/whitelist.js')).WHITELIST_COMMANDS,
    ...(await import('./commands/whitelist-files.js')).WHITELIST_FILE_COMMANDS,
  ],
  secret: async () => (await import('./commands/secret.js')).SECRET_COMMANDS,
  rules: async () => (await import('./commands/rules.js')).RULE_COMMANDS,
  bans: async () => (await import('./commands/bans.js')).BAN_COMMANDS,
  net: async () => (await import('./commands/network.js')).NETWORK_COMMANDS,
  ping: async () => (await import('./commands/ping.js')).PING_COMMANDS,
  config: async () => (await import('./commands/config.js')).CONFIG_COMMANDS,
  log: async () => (await import('./commands/log.js')).LOG_COMMANDS,
  metrics: async () => (await import('./commands/metrics.js')).METRICS_COMMANDS,
  version: async () => (await import('./commands/version.js')).VERSION_COMMANDS,
  completion: async () => (await import('./commands/completion.js')).COMPLETION_COMMANDS,
};

export async function allCommands(): Promise<readonly Command[]> {
  return (await Promise.all(Object.values(NOUNS).map((load) => load()))).flat();
}

/** Those that a line can mean: of the noun that is its first word, none where only our version is asked for, or else all. */
export async function commandsFor(words: readonly string[]): Promise<readonly Command[]> {
  const [noun = ''] = words;
  if (words.length === 1 && (noun === '-V' || noun === '--version')) return [];
  return Object.hasOwn(NOUNS, noun) ? (NOUNS[noun] as () => Promise<readonly Command[]>)() : allCommands();
}

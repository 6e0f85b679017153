/** The one table of all commands, in the order of help. A command loads what it needs beyond its description when it runs. */
import type { Command } from './command.js';
import { BAN_COMMANDS } from './commands/bans.js';
import { CLIENT_COMMANDS } from './commands/clients.js';
import { COMPLETION_COMMANDS } from './commands/completion.js';
import { CONFIG_COMMANDS } from './commands/config.js';
import { CONNECTION_COMMANDS } from './commands/connections.js';
import { FORWARD_COMMANDS } from './commands/forward.js';
import { IDENTITY_COMMANDS } from './commands/identity.js';
import { INVITE_COMMANDS } from './commands/invite.js';
import { LOG_COMMANDS } from './commands/log.js';
import { METRICS_COMMANDS } from './commands/metrics.js';
import { NETWORK_COMMANDS } from './commands/network.js';
import { PENDING_COMMANDS } from './commands/pending.js';
import { PING_COMMANDS } from './commands/ping.js';
import { RULE_COMMANDS } from './commands/rules.js';
import { SECRET_COMMANDS } from './commands/secret.js';
import { SERVICE_COMMANDS } from './commands/services.js';
import { STATUS_COMMANDS } from './commands/status.js';
import { TOP_COMMANDS } from './commands/top.js';
import { VERSION_COMMANDS } from './commands/version.js';
import { WHITELIST_COMMANDS } from './commands/whitelist.js';
import { WHITELIST_FILE_COMMANDS } from './commands/whitelist-files.js';

export const COMMANDS: readonly Command[] = [
  STATUS_COMMANDS,
  IDENTITY_COMMANDS,
  TOP_COMMANDS,
  CONNECTION_COMMANDS,
  CLIENT_COMMANDS,
  PENDING_COMMANDS,
  INVITE_COMMANDS,
  WHITELIST_COMMANDS,
  WHITELIST_FILE_COMMANDS,
  SECRET_COMMANDS,
  SERVICE_COMMANDS,
  RULE_COMMANDS,
  BAN_COMMANDS,
  FORWARD_COMMANDS,
  NETWORK_COMMANDS,
  PING_COMMANDS,
  CONFIG_COMMANDS,
  LOG_COMMANDS,
  METRICS_COMMANDS,
  VERSION_COMMANDS,
  COMPLETION_COMMANDS,
].flat();

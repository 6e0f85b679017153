/** All methods of the control socket on one page; the compiler sees to it that none is missing. */
import type { MethodHandlers } from '../control/method-handlers.js';
import { banMethods } from './methods/bans.js';
import { clientMethods } from './methods/clients.js';
import { connectionMethods } from './methods/connections.js';
import type { MethodContext } from './methods/context.js';
import { ruleMethods } from './methods/rules.js';
import { secretMethods } from './methods/secret.js';
import { statusMethods } from './methods/status.js';
import { upkeepMethods } from './methods/upkeep.js';
import { whitelistMethods } from './methods/whitelist.js';

export const methodTable = (context: MethodContext): MethodHandlers => ({
  ...statusMethods(context),
  ...connectionMethods(context),
  ...clientMethods(context),
  ...whitelistMethods(context),
  ...secretMethods(context),
  ...ruleMethods(context),
  ...banMethods(context),
  ...upkeepMethods(context),
});

/** The handlers of all methods of the control socket. */
import type { MethodHandlers } from '../../control/protocol.js';
import { banMethods } from './bans.js';
import { clientMethods } from './clients.js';
import { connectionMethods } from './connections.js';
import type { MethodContext } from './context.js';
import { forwardMethods } from './forwards.js';
import { invitationMethods } from './invitations.js';
import { pendingMethods } from './pending.js';
import { ruleMethods } from './rules.js';
import { secretMethods } from './secret.js';
import { serviceMethods } from './services.js';
import { statusMethods } from './status.js';
import { upkeepMethods } from './upkeep.js';
import { whitelistMethods } from './whitelist.js';

export const methodHandlers = (context: MethodContext): MethodHandlers => ({
  ...statusMethods(context),
  ...connectionMethods(context),
  ...clientMethods(context),
  ...pendingMethods(context),
  ...whitelistMethods(context),
  ...invitationMethods(context),
  ...secretMethods(context),
  ...serviceMethods(context),
  ...ruleMethods(context),
  ...banMethods(context),
  ...forwardMethods(context),
  ...upkeepMethods(context),
});

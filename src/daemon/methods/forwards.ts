/** `forwards`: local ports that the daemon keeps forwarded. */
import { rfc3339 } from '../../base/clock.js';
import { CodedError } from '../../base/coded-error.js';
import { targetText } from '../../base/endpoint.js';
import { FormatError } from '../../config/format-error.js';
import { isProxyText } from '../../config/forward-text.js';
import { parseProxyUsers } from '../../config/proxy-users-file.js';
import { SecretFileError } from '../../config/secret-file.js';
import { isLink, parseKeptPlace, parseStandingForward } from '../../config/standing-forward.js';
import { ControlError, type ControlErrorCode } from '../../control/control-error.js';
import type { MethodHandlers, Params, Result } from '../../control/protocol.js';
import { type ForwardEntry, ForwardError, forwardName, type KeptSpec } from '../../engine/client/forward-entry.js';
import { isSameSecret } from '../../engine/client/remote-server.js';
import type { ForwardState } from '../../engine/client/standing-forward.js';
import { keyText } from './client-names.js';
import type { MethodContext } from './context.js';
import { asControlError, checkRead } from './save-errors.js';

type Deps = Pick<MethodContext, 'clock' | 'forwards' | 'log'>;
type Forward = Result<'forwards.add'>['forward'];
type Names = 'forwards.list' | 'forwards.add' | 'forwards.remove';

const CODES: Readonly<Record<ForwardError['code'], ControlErrorCode>> = {
  exists: 'exists',
  'not-found': 'not-found',
  ambiguous: 'ambiguous',
  full: 'failed',
  'own-id': 'bad-params',
};

export function forwardMethods({ clock, forwards, log }: Deps): Pick<MethodHandlers, Names> {
  return {
    'forwards.list': () => {
      checkRead(forwards.error);
      return { schema: 'tuntox.forwards/1', forwards: forwards.all.map(shown) };
    },
    'forwards.add': (params) =>
      explained(async () => {
        const entry = entryOf(params, clock.unixTime());
        if (params.dryRun) forwards.check(entry);
        const notes = isLink(params.server) && isUnused(entry, forwards.all) ? [UNUSED_LINK] : [];
        const forward = params.dryRun ? unopened(entry) : shown(await forwards.add(entry));
        if (!params.dryRun) log.info(`added the forward ${textOf(entry)}`);
        return { schema: 'tuntox.forward-change/1', forward, closedTunnels: 0, notes };
      }),
    'forwards.remove': ({ forward: text, reverse: isReverse = false, server, dryRun }) =>
      explained(async () => {
        const found = forwards.find({ ...parseKeptPlace(text), isReverse, server });
        if (!dryRun) {
          await forwards.remove(found.entry);
          log.info(`removed the forward ${textOf(found.entry)}`);
        }
        const closedTunnels = found.traffic.open;
        return { schema: 'tuntox.forward-change/1', forward: shown(found), closedTunnels, notes: [] };
      }),
  };
}

const UNUSED_LINK =
  'the daemon is connected to this server already, so the link was not used: if it is an invitation, it stays open for somebody else';

/** Whether a connection that another forward holds makes the secret of this one needless. */
const isUnused = ({ server }: ForwardEntry, all: readonly ForwardState[]): boolean =>
  all.some(({ entry, serverError }) => serverError === undefined && isAt(entry, server)) &&
  !all.some(({ entry }) => isAt(entry, server) && isSameSecret(entry.server.secret, server.secret));

const isAt = (entry: ForwardEntry, { id }: ForwardEntry['server']): boolean =>
  entry.server.id.publicKey.equals(id.publicKey);

/** @throws FormatError */
function entryOf(params: Params<'forwards.add'>, addedAt: number): ForwardEntry {
  const { server, name, secret, forward, kind, users } = params;
  const { spec, serverId: id, ...parsed } = parseStandingForward(server, secret, forward, kind);
  if (users !== undefined && !isProxyText(spec)) {
    throw new FormatError('users are only for a forward whose connections name their targets: leave them out');
  }
  const secretBytes = parsed.secret === undefined ? undefined : Buffer.from(parsed.secret);
  const own = users === undefined ? {} : { users: parseProxyUsers(users, 'the file of users') };
  return { spec: { ...spec, ...own } as KeptSpec, server: { id, name, secret: secretBytes }, addedAt };
}

/** @throws ControlError */
async function explained<Value>(work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof FormatError || error instanceof SecretFileError)
      throw new ControlError('bad-params', error.message, { cause: error });
    if (error instanceof ForwardError) {
      const hint = error.code === 'own-id' ? {} : { hint: 'to list the forwards: tuntoxctl forward list' };
      throw new ControlError(CODES[error.code], error.message, { ...hint, cause: error });
    }
    const known = asControlError(error);
    // The port cannot be opened: the message says what to do.
    if (known instanceof ControlError || !(error instanceof CodedError)) throw known;
    throw new ControlError('failed', error.message, { hint: 'nothing has changed', cause: error });
  }
}

/** @returns null where each connection names its own */
const targetOf = (spec: KeptSpec): string | null =>
  spec.kind === 'dynamic' || spec.target === undefined ? null : targetText(spec.target);

function textOf(entry: ForwardEntry): string {
  const { spec, server } = entry;
  return `${forwardName(entry)} to ${targetOf(spec) ?? 'any target'}, server ${server.name ?? server.id.publicKey.short}`;
}

function unopened({ spec, server, addedAt }: ForwardEntry): Forward {
  const { kind, at } = spec;
  return {
    kind,
    bind: at.kind === 'port' ? (at.bind ?? null) : null,
    port: at.kind === 'port' ? at.port : 0,
    socket: at.kind === 'unix' ? at.path : null,
    target: targetOf(spec),
    server: { publicKey: keyText(server.id.publicKey), name: server.name ?? null },
    state: 'connecting',
    path: null,
    roundTripMs: null,
    error: null,
    tunnels: 0,
    tunnelsOpened: 0,
    bytesSent: 0,
    bytesReceived: 0,
    addedAt: rfc3339(addedAt),
  };
}

export function stateOf({
  listenError,
  refusal,
  serverError,
}: Pick<ForwardState, 'listenError' | 'refusal' | 'serverError'>): Forward['state'] {
  if (listenError !== undefined || refusal !== undefined) return 'not-listening';
  return serverError === undefined ? 'connected' : 'connecting';
}

function errorOf({ listenError, refusal, serverError }: ForwardState): string | null {
  if (listenError !== undefined) return `${listenError}; the daemon tries again every 5 s`;
  return refusal ?? serverError ?? null;
}

function shown(forward: ForwardState): Forward {
  const { entry, path, roundTrip, traffic } = forward;
  return {
    ...unopened(entry),
    state: stateOf(forward),
    path: path.kind === 'none' ? null : path.kind,
    roundTripMs: roundTrip ?? null,
    error: errorOf(forward),
    tunnels: traffic.open,
    tunnelsOpened: traffic.total,
    bytesSent: traffic.bytesSent,
    bytesReceived: traffic.bytesReceived,
  };
}

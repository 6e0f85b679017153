/** `invite`: links that put the client which redeems one on the whitelist. */
import { hostname } from 'node:os';
import { LAST_UNIX_TIME, rfc3339 } from '../../base/clock.js';
import { nearest } from '../../base/nearest.js';
import { type HostAndPort, parseTargetOrService, type TargetText } from '../../config/formats.js';
import { parseHostName } from '../../config/host-name.js';
import { formatLink, type Link, localPortOf } from '../../config/link.js';
import { wordsOfLink } from '../../config/link-words.js';
import { ControlError } from '../../control/control-error.js';
import type { MethodHandlers, Params, Result } from '../../control/protocol.js';
import { freeName } from '../../engine/access/access-lists.js';
import { withOverrides } from '../../engine/access/access-policy.js';
import { type Invitation, labelOf } from '../../engine/access/invitation.js';
import type { NewInvitation } from '../../engine/access/invitations.js';
import { listenPermissionText } from '../../engine/access/listen-permission.js';
import type { AllowedTarget } from '../../engine/access/whitelist.js';
import { namesOf, tunnelsOf } from './affected-clients.js';
import { clientName } from './client-names.js';
import type { MethodContext } from './context.js';
import { checkRead, saved } from './save-errors.js';
import { notesOnServices } from './services.js';
import { allowOf, allowReverseOf, expiryOf } from './whitelist.js';

type Deps = Pick<MethodContext, 'access' | 'clock' | 'admission' | 'engine' | 'log' | 'services'>;
type Shown = Result<'invite.list'>['invitations'][number];
type Names = 'invite.list' | 'invite.create' | 'invite.revoke';

/** s */
const DEFAULT_TIME = 3_600;
const LIST = 'to list the invitations: tuntoxctl invite list';

export function invitationMethods(deps: Deps): Pick<MethodHandlers, Names> {
  const { access } = deps;
  return {
    'invite.list': () => {
      checkRead(access.errors.get('lists'));
      return { schema: 'tuntox.invitations/1', invitations: access.invitations.all.map((one) => shown(deps, one)) };
    },
    'invite.create': (params) => create(deps, params),
    'invite.revoke': (params) => revoke(deps, params),
  };
}

async function create(deps: Deps, params: Params<'invite.create'>): Promise<Result<'invite.create'>> {
  const { access, clock, engine, log } = deps;
  const { name, rate, maxTunnels, uses, accessMs, dryRun } = params;
  const wanted = {
    name,
    allow: allowOf(params.allow ?? []),
    allowReverse: allowReverseOf(params.allowReverse ?? []),
    rate,
    maxTunnels,
    expiresAt: params.expiresAt === undefined ? clock.unixTime() + DEFAULT_TIME : expiryOf(deps, params.expiresAt),
    uses,
    access: accessMs === undefined ? undefined : Math.ceil(accessMs / 1000),
  };
  // The last client that comes has access until then.
  if (wanted.expiresAt + (wanted.access ?? 0) > LAST_UNIX_TIME) {
    throw new ControlError('bad-params', 'accessMs: the access is too long', {
      hint: 'leave it out for access without an end',
    });
  }
  const notes = notesOfCreating(deps, wanted);
  if (dryRun) {
    const draft = { ...wanted, id: '-', createdAt: clock.unixTime(), revokedAt: undefined, redemptions: [], late: [] };
    return {
      schema: 'tuntox.invitation-created/1',
      invitation: shown(deps, { ...draft, hash: Buffer.alloc(0) }),
      link: null,
      notes,
    };
  }
  const { invitation, secret } = await saved(access.invitations.create(wanted));
  log.info(`invitation ${labelOf(invitation)}: made`);
  const targets = wanted.allow.map(targetOf);
  const [target] = targets;
  const link = { serverId: engine.id, secret, target: targets.length === 1 ? target : undefined };
  return {
    schema: 'tuntox.invitation-created/1',
    invitation: shown(deps, invitation),
    link: await shownLink(deps, link, targets),
    notes,
  };
}

function notesOfCreating(deps: Deps, { name, allow }: NewInvitation): string[] {
  const { access } = deps;
  const free = freeName(access.entries, name);
  return [
    ...notesOnServices(deps, allow),
    ...(free === name ? [] : [`the name "${name}" is taken: a new client will be called ${free}`]),
    ...(access.isOpen && access.secret === undefined && !access.hasWhitelist
      ? ['without it, too, every client that knows the Tox ID is admitted (access.open)']
      : []),
    ...[...access.errors.values()].map((error) => `no client is admitted: ${error}`),
  ];
}

/** Returns the one target of an allow line, or its service; undefined if it has several. */
function targetOf({ text, rule: { effect, subject, port } }: AllowedTarget): TargetText | undefined {
  if (effect === 'deny' || subject.kind === 'any' || subject.kind === 'class') return undefined;
  return subject.kind === 'host' && port === 0 ? undefined : parseTargetOrService(text);
}

const isTcp = ({ port, protocol }: TargetText): boolean => port !== 0 && protocol === undefined;

async function shownLink({ services }: Deps, link: Link, targets: readonly (TargetText | undefined)[]) {
  const text = formatLink(link);
  // The original tuntox has no services, no UDP and no Unix sockets.
  const forwards = targets
    .map((target) => (target?.port === 0 ? services.targets.get(target.host) : target))
    .flatMap((target) => (target === undefined || !isTcp(target) ? [] : [`-L ${forwardTo(target)}`]));
  const original = `tuntox -i ${link.serverId} -s ${link.secret}`;
  return {
    link: text,
    words: [...((await wordsOfLink(link)) ?? [])],
    commands: {
      join: `tuntox join ${text} ${ownHostName()}`,
      words: `tuntox join - ${ownHostName()}`,
      original: `${original} ${forwards.length === 0 ? '-L PORT:HOST:PORT' : forwards.join(' ')}`,
    },
  };
}

function forwardTo(target: HostAndPort): string {
  const forward = `${localPortOf(target)}:${target.host.includes(':') ? `[${target.host}]` : target.host}:${target.port}`;
  // A shell would expand brackets.
  return forward.includes('[') ? `'${forward}'` : forward;
}

/** Returns a name under which the other side may store this machine. */
function ownHostName(): string {
  try {
    return parseHostName(hostname().split('.')[0] ?? '');
  } catch {
    return 'server';
  }
}

async function revoke(deps: Deps, params: Params<'invite.revoke'>): Promise<Result<'invite.revoke'>> {
  const { access, admission, log } = deps;
  const { removeClients, dryRun } = params;
  const invitation = findInvitation(deps, params.invitation);
  const before = access.invitations.stateOf(invitation);
  const keys = removeClients ? access.invitations.admittedBy([invitation]) : [];
  const removed = keys.map((key) => clientName(deps, key));
  const ids = new Set(keys.map(({ hex }) => hex));
  const after = withOverrides(access, { listing: (key) => (ids.has(key.hex) ? 'none' : access.listing(key)) });
  const disconnected = admission.affectedBy(after);
  const closedTunnels = tunnelsOf(deps, disconnected).length;
  const notes = [
    ...(before === 'open' ? [] : [`the link was not valid any more: ${ENDED[before]}`]),
    ...(disconnected.length === 0 ? [] : [`disconnected: ${namesOf(deps, disconnected)}`]),
    ...notesOfStaying(deps, invitation, removeClients),
  ];
  if (!dryRun) {
    await saved(access.invitations.revoke([invitation.id], removeClients));
    log.info(`invitation ${labelOf(invitation)}: revoked${removed.length === 0 ? '' : ', with its clients'}`);
  }
  const revoked = access.invitations.all.find(({ id }) => id === invitation.id) ?? invitation;
  return {
    schema: 'tuntox.invitation-revoked/1',
    invitation: shown(deps, revoked),
    removed,
    closedTunnels,
    notes,
  };
}

const ENDED = {
  used: 'it has admitted as many clients as it may',
  expired: 'it has expired',
  revoked: 'it was revoked before',
} as const;

function notesOfStaying({ access }: Deps, invitation: Invitation, removeClients: boolean): string[] {
  const { length } = access.invitations.admittedBy([invitation]);
  if (removeClients || length === 0) return [];
  const who = length === 1 ? 'the client that came keeps its' : `the ${length} clients that came keep their`;
  return [`${who} access; to end it: tuntoxctl invite revoke ${invitation.id} --remove-clients`];
}

/** An open invitation precedes those of the same name that have ended. @throws ControlError */
function findInvitation({ access: { invitations } }: Deps, text: string): Invitation {
  const { all } = invitations;
  const named = all.filter(({ name }) => name === text);
  const open = named.filter((one) => invitations.stateOf(one) === 'open');
  const found = open[0] ?? named.at(-1) ?? all.find(({ id }) => id === text);
  if (open.length > 1) {
    const ids = open.map(({ id }) => id).join(', ');
    throw new ControlError('ambiguous', `there are ${open.length} open invitations for "${text}"`, {
      hint: `name one of them by its ID: ${ids}`,
    });
  }
  if (found !== undefined) return found;
  const near = nearest(
    text,
    all.flatMap(({ id, name }) => (name === undefined ? [id] : [name, id])),
  );
  throw new ControlError('not-found', `there is no invitation "${text}"`, {
    hint: near === undefined ? LIST : `did you mean "${near}"?`,
  });
}

function shown(deps: Deps, invitation: Invitation): Shown {
  const { access } = deps;
  const { id, name, allow, allowReverse, createdAt, expiresAt, uses, redemptions, late } = invitation;
  return {
    id,
    name: name ?? null,
    allow: allow.map(({ text }) => text),
    allowReverse: (allowReverse ?? []).map(listenPermissionText),
    rate: invitation.rate ?? null,
    maxTunnels: invitation.maxTunnels ?? null,
    state: access.invitations.stateOf(invitation),
    createdAt: rfc3339(createdAt),
    expiresAt: rfc3339(expiresAt),
    uses,
    accessMs: invitation.access === undefined ? null : invitation.access * 1000,
    redeemed: redemptions.map(({ publicKey, at }) => ({
      client: clientName(deps, publicKey),
      at: rfc3339(at),
      listed: access.entry(publicKey) !== undefined,
    })),
    late: late.map(({ publicKey, at, state }) => ({ client: clientName(deps, publicKey), at: rfc3339(at), state })),
  };
}

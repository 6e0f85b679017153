/** `services`: targets that clients reach by name. */
import { rfc3339 } from '../../base/clock.js';
import { targetText } from '../../base/endpoint.js';
import { didYouMean, similarNames } from '../../base/nearest.js';
import { countText } from '../../base/units.js';
import { FormatError } from '../../config/format-error.js';
import { parseServiceName, parseServiceTarget } from '../../config/formats.js';
import { ControlError } from '../../control/control-error.js';
import type { MethodHandlers, Params, Result } from '../../control/protocol.js';
import { type NamedService, ServiceError, serviceOn } from '../../engine/access/services.js';
import type { AllowedTarget } from '../../engine/access/whitelist.js';
import { nameWithKey } from '../../engine/server/client-names.js';
import { reachedBy, type TargetPolicy } from '../../engine/server/target-policy.js';
import type { Consent } from './affected-clients.js';
import type { MethodContext } from './context.js';
import { checkRead, saved } from './save-errors.js';

type Deps = Pick<MethodContext, 'access' | 'clock' | 'engine' | 'log' | 'services' | 'targets'>;
type Names = 'services.list' | 'services.add' | 'services.remove';
type Change = Result<'services.add'>;
type ServiceTargets = Parameters<TargetPolicy['isAnyWith']>[0];

export function serviceMethods(deps: Deps): Pick<MethodHandlers, Names> {
  const { services, targets } = deps;
  return {
    'services.list': () => {
      checkRead(services.error);
      const only = targets.file === undefined && !targets.isAny;
      return { schema: 'tuntox.services/1', services: services.all.map(shown), only };
    },
    'services.add': (params) => explained(() => add(deps, params)),
    'services.remove': (params) => explained(() => remove(deps, params)),
  };
}

async function add(
  deps: Deps,
  { name: text, target, proxyProtocol, ...options }: Params<'services.add'>,
): Promise<Change> {
  const { clock, log, services, targets } = deps;
  const name = parseServiceName(text);
  const described = serviceOn(parseServiceTarget(target), proxyProtocol);
  const service: NamedService = { ...described, name, addedAt: clock.unixTime() };
  const before = services.targets;
  const after = new Map(before).set(name, service.target);
  services.check(service, options.replace);
  const closedTunnels = confirmClosing(deps, after, { ...options, isReplacing: before.has(name) });
  const wasAny = targets.isAny;
  if (!options.dryRun) {
    await saved(services.add(service, options.replace));
    log.info(`services: ${name} is ${targetText(service.target)}`);
  }
  const isFirst = before.size === 0 && wasAny && !targets.isAnyWith(after);
  const notes = isFirst ? ['from now on clients reach the services only; to allow every target: targets.any'] : [];
  return { schema: 'tuntox.service-change/1', service: shown(service), closedTunnels, notes };
}

async function remove(deps: Deps, { name: text, ...options }: Params<'services.remove'>): Promise<Change> {
  const { log, services, targets } = deps;
  const name = parseServiceName(text);
  const service = services.all.find((one) => one.name === name) ?? notFound(deps, name);
  const after = new Map(services.targets);
  after.delete(name);
  const closedTunnels = confirmClosing(deps, after, { ...options, confirmed: true, isReplacing: false });
  const isLast = after.size === 0 && !targets.isAny && targets.isAnyWith(after);
  if (isLast && !options.confirmed && !options.dryRun) {
    throw new ControlError(
      'needs-confirmation',
      `"${name}" is the last service: without services and without a rules file, clients reach every target`,
      { hint: 'to restrict them, set targets.rules_file' },
    );
  }
  if (!options.dryRun) {
    await saved(services.remove(name));
    log.info(`services: ${name} removed`);
  }
  const notes = isLast ? ['from now on clients reach every target, because there is no service and no rules file'] : [];
  return { schema: 'tuntox.service-change/1', service: shown(service), closedTunnels, notes };
}

/** Returns a note for each service of an allow list that there is not: a host without its port is taken for one. */
export function notesOnServices({ services }: Pick<Deps, 'services'>, allow: readonly AllowedTarget[]): string[] {
  const { targets } = services;
  const named = allow.flatMap(({ rule: { subject } }) => (subject.kind === 'service' ? [subject.name] : []));
  return [...new Set(named)]
    .filter((name) => !targets.has(name))
    .map((name) => {
      return `there is no service "${name}", so it allows nothing yet: tuntoxctl expose ${name} TARGET; a host needs its port, as in ${name}:80`;
    });
}

/** @returns how many tunnels the change closes @throws ControlError `needs-confirmation` when there are some */
function confirmClosing(
  { access, engine, targets }: Deps,
  after: ServiceTargets,
  { confirmed, dryRun, isReplacing }: Consent & { readonly isReplacing: boolean },
): number {
  const closing = engine.tunnels.list().filter((tunnel) => {
    const { peerRole, listener, isClosing, peerId } = tunnel;
    if (peerRole !== 'client' || listener !== undefined || isClosing) return false;
    return !targets.explain(peerId, reachedBy(tunnel), access.entryOf(peerId), after).isAllowed;
  });
  if (closing.length === 0 || confirmed || dryRun) return closing.length;
  const names = [...new Set(closing.map(({ peerId }) => nameWithKey(peerId, access.entryOf(peerId)?.alias)))]
    .slice(0, 8)
    .join(', ');
  throw new ControlError(
    'needs-confirmation',
    `this would close ${countText(closing.length, 'tunnel')} of ${names}, because ${isReplacing ? 'the service gets another target' : 'clients would reach the services only'}`,
    isReplacing ? {} : { hint: 'to keep every target allowed, set targets.any' },
  );
}

/** @throws ControlError */
function notFound({ services }: Deps, name: string): never {
  const near = didYouMean(similarNames(name, [...services.targets.keys()]));
  throw new ControlError('not-found', `there is no service "${name}"`, {
    hint: near ?? 'to list them: tuntoxctl services list',
  });
}

/** @throws ControlError */
async function explained<Value>(work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof FormatError) throw new ControlError('bad-params', error.message, { cause: error });
    if (!(error instanceof ServiceError)) throw error;
    const code = error.code === 'full' ? 'failed' : error.code;
    const hint = HINTS[error.code];
    throw new ControlError(code, error.message, { ...(hint === undefined ? {} : { hint }), cause: error });
  }
}

const HINTS: Partial<Record<ServiceError['code'], string>> = {
  exists: 'to give it the new target, add --replace',
};

const shown = ({ name, target, hasProxyHeader, addedAt }: NamedService): Change['service'] => ({
  name,
  target: { ...target },
  proxyProtocol: hasProxyHeader,
  addedAt: rfc3339(addedAt),
});

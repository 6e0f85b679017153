/** What the owner should know or do, the most serious first: from facts to sentences, each with what to do next. Pure. */
import { type DaemonOwner, SERVICE_COMMANDS } from '../base/daemon-service.js';
import type { StatusWarning } from './methods/context.js';

export interface HealthFacts {
  /** Whose daemon it is: one of a user may be a client alone. */
  readonly owner: DaemonOwner;
  /** Why stored access data cannot be used, for people. */
  readonly stateErrors: readonly string[];
  /** Whether no client is admitted, every client, or only some. */
  readonly admission: 'closed' | 'open' | 'restricted';
  readonly whitelist: { readonly isOn: boolean; readonly entries: number };
  /** Clients that asked and were refused. */
  readonly pending: number;
  readonly rulesError: string | undefined;
  /** Why clients have no addresses although they need them. */
  readonly addressError: string | undefined;
  readonly forwards: {
    /** Why the stored ones cannot be used. */
    readonly error: string | undefined;
    /** How many wait for their port. */
    readonly waiting: number;
  };
  /** Why the state could not be saved last. */
  readonly saveError: string | undefined;
  readonly proxyError: string | undefined;
  readonly network: {
    readonly state: 'connecting' | 'online' | 'offline';
    readonly udp: 'works' | 'blocked' | 'off' | 'unknown';
    /** False when the settings name no nodes. */
    readonly hasBootstrapNodes: boolean;
    readonly bootstrapNodes: {
      /** Nodes that have an address. */
      readonly known: number;
      readonly answering: number;
      /** Nodes whose names could not be resolved. */
      readonly unresolved: readonly { readonly host: string; readonly reason: string }[];
    };
    /** s in this state. */
    readonly age: number;
  };
  readonly configuration: {
    /** Whether a file has changed since it was read. */
    readonly isStale: boolean;
    /** Why the last reload changed nothing. */
    readonly reloadError: string | undefined;
    /** Changed settings that take effect after a restart. */
    readonly needRestart: readonly string[];
  };
  /** Why the pages of http.listen are not served. */
  readonly httpError: string | undefined;
}

type Finding = StatusWarning & { readonly isSerious: boolean };

/** s after which nodes that have not answered will not. */
const TIME_TO_ANSWER = 30;
const CHECK_NAMES = 'check the names in network.bootstrap, and that DNS works';
const RELOAD = 'then run: tuntoxctl config reload';
const DETAILS = 'for details: tuntoxctl net';

export function healthOf(facts: HealthFacts): {
  readonly health: 'ok' | 'degraded';
  readonly warnings: StatusWarning[];
} {
  const findings = [...accessFindings(facts), ...networkFindings(facts), ...operationFindings(facts)];
  const isDegraded = findings.some(({ isSerious }) => isSerious);
  const ordered = [...findings.filter((one) => one.isSerious), ...findings.filter((one) => !one.isSerious)];
  const warnings = ordered.map(({ code, message, hint }) => ({ code, message, hint }));
  return { health: isDegraded ? 'degraded' : 'ok', warnings };
}

const serious = (code: string, message: string, hint: string | null): Finding => {
  return { code, message, hint, isSerious: true };
};
const minor = (code: string, message: string, hint: string | null): Finding => {
  return { code, message, hint, isSerious: false };
};

function accessFindings(facts: HealthFacts): Finding[] {
  const { owner, stateErrors, admission, whitelist, pending, rulesError, addressError } = facts;
  const found = stateErrors.map((error) =>
    serious('state', `no client is admitted: ${error}`, 'then restart the daemon'),
  );
  if (found.length === 0 && admission === 'closed') found.push(closedFinding({ owner, whitelist, pending }));
  if (admission === 'open') {
    const message = 'OPEN: every client that knows the Tox ID is admitted (access.open)';
    found.push(minor('open', message, 'to restrict access: tuntoxctl whitelist add ID, or tuntoxctl secret rotate'));
  }
  if (rulesError !== undefined)
    found.push(serious('rules', `clients reach no target: ${rulesError}`, `correct it, ${RELOAD}`));
  if (addressError !== undefined) {
    const message = `clients do not reach the targets for which they need an address: ${addressError}`;
    found.push(serious('addresses', message, 'then restart the daemon'));
  }
  return found;
}

function closedFinding({ owner, whitelist, pending }: Pick<HealthFacts, 'owner' | 'whitelist' | 'pending'>): Finding {
  const { isOn, entries } = whitelist;
  const add = 'to admit a client: tuntoxctl invite create, or tuntoxctl whitelist add ID';
  const hint = pending === 0 ? add : 'to admit one that asked: tuntoxctl clients pending';
  if (!isOn) {
    const message = 'no client is admitted: there is neither a secret nor a whitelist';
    const finding = owner === 'user' ? minor : serious;
    return finding('closed', message, `${hint}, or tuntoxctl secret rotate`);
  }
  const why = entries === 0 ? 'is empty' : 'has only expired entries';
  return serious('closed', `no client is admitted: the whitelist ${why}`, hint);
}

function networkFindings({ network, proxyError }: HealthFacts): Finding[] {
  if (proxyError !== undefined) return [serious('proxy', proxyError, null)];
  const { state, udp, hasBootstrapNodes, bootstrapNodes, age } = network;
  const { known, answering, unresolved } = bootstrapNodes;
  const [first] = unresolved;
  if (state !== 'online' && !hasBootstrapNodes) {
    const message =
      'no peer was found nearby, and no bootstrap nodes are configured, so clients cannot find this machine';
    return [serious(state, message, 'set network.bootstrap, or let network.lan_discovery find a peer nearby')];
  }
  if (state !== 'online' && known === 0 && first !== undefined) {
    const message = `no bootstrap node could be resolved, so clients cannot find this machine: ${first.reason}`;
    return [serious(state, message, CHECK_NAMES)];
  }
  if (state === 'connecting') {
    const hint = age < TIME_TO_ANSWER ? null : DETAILS;
    return [serious('connecting', 'not yet connected to the Tox network, so clients cannot find this machine', hint)];
  }
  if (state === 'offline') {
    return [serious('offline', 'no node of the Tox network answers, so clients cannot find this machine', DETAILS)];
  }
  const found: Finding[] = [];
  const silent = known - answering;
  if (silent > 0 && age >= TIME_TO_ANSWER) {
    const verb = silent === 1 ? 'does' : 'do';
    found.push(minor('bootstrap', `${silent} of ${known} bootstrap nodes ${verb} not answer`, DETAILS));
  }
  if (first !== undefined) {
    const names = unresolved.map(({ host }) => host).join(', ');
    found.push(minor('bootstrap', `these bootstrap nodes could not be resolved: ${names}`, CHECK_NAMES));
  }
  if (udp === 'blocked') {
    const message = 'UDP seems to be blocked, so all traffic goes through TCP relays';
    found.push(minor('udp-blocked', message, 'allow outgoing UDP in the firewall'));
  }
  return found;
}

function operationFindings({ owner, forwards, saveError, configuration, httpError }: HealthFacts): Finding[] {
  const { isStale, reloadError, needRestart } = configuration;
  const found: Finding[] = [];
  if (forwards.error !== undefined) {
    found.push(serious('forwards', `no port is forwarded: ${forwards.error}`, 'then restart the daemon'));
  }
  if (forwards.waiting > 0) {
    const message = `forwards whose port cannot be opened: ${forwards.waiting}`;
    found.push(minor('forward-ports', message, 'to see why: tuntoxctl forward list'));
  }
  if (saveError !== undefined) found.push(serious('not-saved', saveError, null));
  if (reloadError !== undefined) {
    found.push(minor('reload', `still using the previous settings: ${reloadError}`, `correct it, ${RELOAD}`));
  } else if (isStale) {
    found.push(
      minor('stale', 'the settings file has changed since it was read', 'to apply it: tuntoxctl config reload'),
    );
  }
  if (needRestart.length > 0) {
    const message = `changed settings that need a restart: ${needRestart.join(', ')}`;
    found.push(minor('restart', message, `to restart: ${SERVICE_COMMANDS[owner].restart}`));
  }
  if (httpError !== undefined) found.push(minor('http', httpError, `change http.listen, ${RELOAD}`));
  return found;
}

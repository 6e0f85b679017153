/** What the owner should know or do, the most serious first. Pure: from facts to sentences, each with what to do next. */
import type { StatusWarning } from './methods/context.js';

export interface HealthFacts {
  /** Of kept state that cannot be used, for people. */
  readonly stateFaults: readonly string[];
  readonly door: 'closed' | 'open' | 'guarded';
  readonly whitelist: { readonly isOn: boolean; readonly entries: number };
  readonly rulesFault: string | undefined;
  /** Why the identity could not be saved last. */
  readonly saveFault: string | undefined;
  readonly proxyFault: string | undefined;
  readonly network: {
    readonly state: 'connecting' | 'online' | 'offline';
    readonly udp: 'works' | 'blocked' | 'off' | 'unknown';
    /** False: there are none to be asked, as the settings say. */
    readonly hasBootstrapNodes: boolean;
    readonly bootstrapNodes: {
      /** Those that have an address. */
      readonly known: number;
      readonly answering: number;
      /** Those whose names have none. */
      readonly unresolved: readonly { readonly host: string; readonly reason: string }[];
    };
    /** s in this state. */
    readonly age: number;
  };
  readonly configuration: {
    /** The file has changed since it was read. */
    readonly isStale: boolean;
    /** Why the last reload kept the old settings. */
    readonly reloadFault: string | undefined;
    /** Settings that were changed and count from the next start. */
    readonly needRestart: readonly string[];
  };
  /** Why HTTP is not there although it was asked for. */
  readonly httpFault: string | undefined;
}

type Finding = StatusWarning & { readonly isSerious: boolean };

/** s after which nodes that have not answered will not. */
const TIME_TO_ANSWER = 30;
const CHECK_NAMES = 'check the names in network.bootstrap, and that name servers answer';

export function healthOf(facts: HealthFacts): {
  readonly health: 'ok' | 'degraded';
  readonly warnings: StatusWarning[];
} {
  const findings = [...doorFindings(facts), ...networkFindings(facts), ...keepingFindings(facts)];
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

function doorFindings({ stateFaults, door, whitelist, rulesFault }: HealthFacts): Finding[] {
  const faults = stateFaults.map((fault) => serious('state', `nobody gets in: ${fault}`, 'then restart the daemon'));
  if (faults.length === 0 && door === 'closed') faults.push(closedFinding(whitelist));
  const open = 'OPEN TO EVERYBODY who knows the Tox ID, because of access.open';
  if (door === 'open') faults.push(minor('open', open, 'tuntoxctl whitelist add ID, or tuntoxctl secret rotate'));
  if (rulesFault === undefined) return faults;
  return [...faults, serious('rules', `clients reach nothing: ${rulesFault}`, 'mend it, then tuntoxctl config reload')];
}

function closedFinding({ isOn, entries }: HealthFacts['whitelist']): Finding {
  const hint = 'tuntoxctl whitelist add ID';
  if (!isOn) {
    const message = 'nobody gets in: there is neither a secret nor a whitelist';
    return serious('closed', message, `${hint}, or tuntoxctl secret rotate`);
  }
  const why = entries === 0 ? 'is on and empty' : 'has no entry that has not expired';
  return serious('closed', `nobody gets in: the whitelist ${why}`, hint);
}

function networkFindings({ network, proxyFault }: HealthFacts): Finding[] {
  if (proxyFault !== undefined) return [serious('proxy', proxyFault, null)];
  const { state, udp, hasBootstrapNodes, bootstrapNodes, age } = network;
  const { known, answering, unresolved } = bootstrapNodes;
  const [nameless] = unresolved;
  if (state !== 'online' && !hasBootstrapNodes) return [aloneFinding(state)];
  if (state !== 'online' && known === 0 && nameless !== undefined) {
    const message = `no bootstrap node has an address, so nobody finds us: ${nameless.reason}`;
    return [serious(state, message, CHECK_NAMES)];
  }
  switch (state) {
    case 'connecting':
      return [
        serious(
          'connecting',
          'not in the Tox network yet, so nobody finds us',
          age < TIME_TO_ANSWER ? null : 'tuntoxctl net',
        ),
      ];
    case 'offline':
      return [serious('offline', 'no node of the Tox network answers, so nobody finds us', 'tuntoxctl net')];
    case 'online': {
      const silent = known - answering;
      const nodes =
        silent > 0 && age >= TIME_TO_ANSWER
          ? [minor('bootstrap', `${silent} of ${known} bootstrap nodes do not answer`, 'tuntoxctl net')]
          : [];
      if (nameless !== undefined) {
        const names = unresolved.map(({ host }) => host).join(', ');
        nodes.push(minor('bootstrap', `bootstrap nodes without an address: ${names}`, CHECK_NAMES));
      }
      if (udp !== 'blocked') return nodes;
      return [
        ...nodes,
        minor('udp-blocked', 'UDP seems to be blocked, so everything goes by relays', 'let UDP out at the firewall'),
      ];
    }
  }
}

/** As its owner wants it, perhaps; yet nobody finds us. */
function aloneFinding(state: 'connecting' | 'offline'): Finding {
  const message = 'no other peer is near, and there are no bootstrap nodes to ask, so nobody finds us';
  return serious(state, message, 'name nodes in network.bootstrap, or have network.lan_discovery find a peer nearby');
}

function keepingFindings({ saveFault, configuration, httpFault }: HealthFacts): Finding[] {
  const { isStale, reloadFault, needRestart } = configuration;
  return [
    ...(saveFault === undefined ? [] : [serious('not-saved', saveFault, null)]),
    ...(reloadFault === undefined
      ? []
      : [
          minor(
            'reload',
            `the settings before are used still: ${reloadFault}`,
            'mend it, then tuntoxctl config reload',
          ),
        ]),
    ...(isStale && reloadFault === undefined
      ? [minor('stale', 'the configuration has changed since it was read', 'tuntoxctl config reload')]
      : []),
    ...(needRestart.length === 0
      ? []
      : [
          minor(
            'restart',
            `changed, and used from the next start on: ${needRestart.join(', ')}`,
            'systemctl restart tuntox',
          ),
        ]),
    ...(httpFault === undefined
      ? []
      : [minor('http', httpFault, 'choose another http.listen, then tuntoxctl config reload')]),
  ];
}

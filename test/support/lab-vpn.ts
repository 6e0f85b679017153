/** A VPN between alice and bob of a lab, as docs/vpn.md sets it up: its script at both ends, over a UDP forward of the real command. */
import { join } from 'node:path';
import type { Lab } from './lab.js';
import { startNodeAtHub, startTuntoxIn } from './lab-tunnel.js';
import { type Process, ROOT, startProgram } from './processes.js';
import { type Requirement, systemFile, tool } from './requirements.js';

export const VPN_REQUIREMENTS: readonly Requirement[] = [
  tool('socat', 'socat'),
  tool('ip', 'iproute2'),
  { ...systemFile('/dev/net/tun', ''), reason: '/dev/net/tun is missing (modprobe tun)' },
];

const SCRIPT = join(ROOT, 'systemd/vpn.sh');
export const VPN = { alice: '10.77.0.2', bob: '10.77.0.1', alice6: 'fd77::2', bob6: 'fd77::1' } as const;
const [SERVER_PORT, LOCAL_PORT] = [5999, 6999] as const;
/** ms for a connection on a busy machine. */
const PATIENCE = 60_000;
/** As the unit has it: Restart=always, RestartSec=1s. Prints the number of each socat. */
const RESTARTED = '"$0" up lab && while :; do "$0" run lab & echo $!; wait $!; sleep 1; done';

export interface LabVpn {
  readonly client: Process;
  /** Starts the client again, with the same identity, when it has ended. */
  startClient(): Promise<Process>;
  /** What starts socat at each end, whenever it has ended. */
  readonly ends: { readonly alice: Process; readonly bob: Process };
}

const settingsOf = (end: 'alice' | 'bob'): NodeJS.ProcessEnv => ({
  ROLE: end === 'bob' ? 'server' : 'client',
  PORT: String(end === 'bob' ? SERVER_PORT : LOCAL_PORT),
  ADDRESS: `${VPN[end]}/24`,
  ADDRESS6: `${VPN[`${end}6`]}/64`,
  PEER: VPN[end === 'bob' ? 'alice' : 'bob'],
  VPN_USER: 'root',
});

/** @param forwards more forwards of the same client, as for -L @param path what the client says of its path before it begins */
export async function startVpn(lab: Lab, forwards: readonly string[] = [], path = /direct/): Promise<LabVpn> {
  const args = ['--bootstrap', await startNodeAtHub(lab)];
  const server = startTuntoxIn(lab, 'bob', 'server', ['-C', lab.directory(), ...args]);
  const [toxId] = await server.waitFor(/^[0-9A-F]{76}$/m);
  await server.waitFor(/^online/m);
  const all = [`udp:${LOCAL_PORT}:127.0.0.1:${SERVER_PORT}`, ...forwards].flatMap((one) => ['-L', one]);
  const clientArgs = ['-C', lab.directory(), '-i', toxId, ...all, '-d', ...args];
  const startClient = async (): Promise<Process> => {
    const client = startTuntoxIn(lab, 'alice', 'client', clientArgs);
    await client.waitFor(path, PATIENCE);
    return client;
  };
  const client = await startClient();
  const start = async (end: 'alice' | 'bob'): Promise<Process> => {
    const env = { ...process.env, ...settingsOf(end) };
    const vpn = startProgram(`vpn at ${end}`, ['sh', '-c', RESTARTED, SCRIPT], { prefix: lab.prefix(end), env });
    await vpn.waitFor(/^\d+$/m);
    return vpn;
  };
  return { client, startClient, ends: { bob: await start('bob'), alice: await start('alice') } };
}

/** Kills socat at an end. */
export function killSocat({ stdout }: Process): void {
  process.kill(Number(stdout.trim().split('\n').at(-1)), 'SIGKILL');
}

/** Whether a ping through the VPN is answered, within some seconds. @param size bytes of IP */
export async function isReachable(lab: Lab, host: string, size = 84): Promise<boolean> {
  const isIpv6 = host.includes(':');
  const payload = size - (isIpv6 ? 48 : 28);
  const command = ['ping', '-n', '-M', 'do', '-s', `${payload}`, '-c', '1', '-W', '1', host];
  for (let attempt = 0; attempt < 20; attempt += 1) {
    if (
      await lab.exec('alice', ...command).then(
        () => true,
        () => false,
      )
    )
      return true;
  }
  return false;
}

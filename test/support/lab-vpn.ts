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

export interface LabVpn {
  readonly client: Process;
  /** socat at each end. */
  readonly ends: { readonly alice: Process; readonly bob: Process };
  /** Starts socat at an end again, as the unit does when it has ended. */
  restart(end: 'alice' | 'bob'): Promise<Process>;
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
  const client = startTuntoxIn(lab, 'alice', 'client', ['-i', toxId, ...all, '-d', ...args]);
  await client.waitFor(path);
  const start = async (end: 'alice' | 'bob'): Promise<Process> => {
    const env = { ...process.env, ...settingsOf(end) };
    const prefix = lab.prefix(end);
    const up = startProgram(`vpn up at ${end}`, [SCRIPT, 'up', 'lab'], { prefix, env });
    if ((await up.exited) !== 0) throw new Error(`vpn.sh up at ${end}: ${up.stderr}`);
    return startProgram(`vpn at ${end}`, [SCRIPT, 'run', 'lab'], { prefix, env });
  };
  const ends = { bob: await start('bob'), alice: await start('alice') };
  return { client, ends, restart: start };
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

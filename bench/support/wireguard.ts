/** A tunnel of WireGuard between bob and alice in the lab, by wireguard-go, which does in a process what the kernel could do. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Lab } from '../../test/support/lab.js';
import { type Process, startProgram } from '../../test/support/processes.js';
import { systemFile, tool } from '../../test/support/requirements.js';

export const WIREGUARD_REQUIREMENTS = [
  tool('wireguard-go', 'wireguard-go'),
  tool('wg', 'wireguard-tools'),
  { ...systemFile('/dev/net/tun', ''), reason: '/dev/net/tun is missing (modprobe tun)' },
];

const PORT = 51_820;
const ADDRESSES = { alice: '10.99.0.1', bob: '10.99.0.2' } as const;
type End = keyof typeof ADDRESSES;

interface Keys {
  /** Its file. */
  readonly secret: string;
  readonly shown: string;
}

export interface WireGuard {
  readonly server: Process;
  /** Bob's, through the tunnel. */
  readonly address: string;
  startClient(): Promise<Process>;
}

let count = 0;

export async function startWireGuard(lab: Lab): Promise<WireGuard> {
  const keys = { alice: makeKeys(lab), bob: makeKeys(lab) };
  const endpoint = `${await lab.addressOf('bob')}:${PORT}`;
  const server = await startEnd(lab, 'bob', keys.bob, ['peer', keys.alice.shown, 'allowed-ips', ADDRESSES.alice]);
  const peer = ['peer', keys.bob.shown, 'allowed-ips', ADDRESSES.bob, 'endpoint', endpoint];
  return { server, address: ADDRESSES.bob, startClient: () => startEnd(lab, 'alice', keys.alice, peer) };
}

function makeKeys(lab: Lab): Keys {
  const secret = join(lab.directory(), 'key');
  const key = execFileSync('wg', ['genkey'], { encoding: 'latin1' });
  writeFileSync(secret, key, { mode: 0o600 });
  return { secret, shown: execFileSync('wg', ['pubkey'], { encoding: 'latin1', input: key }).trim() };
}

async function startEnd(lab: Lab, end: End, { secret }: Keys, peer: readonly string[]): Promise<Process> {
  count += 1;
  // Its control sockets are in one directory for all namespaces.
  const device = `w${process.pid}-${count}`;
  const env = { ...process.env, LOG_LEVEL: 'verbose' };
  const carrier = startProgram(`wireguard-go at ${end}`, ['wireguard-go', '-f', device], {
    prefix: lab.prefix(end),
    env,
  });
  await carrier.waitFor(/UAPI listener started/);
  const port = end === 'bob' ? ['listen-port', String(PORT)] : [];
  await lab.exec(end, 'wg', 'set', device, 'private-key', secret, ...port, ...peer);
  await lab.exec(end, 'ip', 'address', 'add', `${ADDRESSES[end]}/24`, 'dev', device);
  await lab.exec(end, 'ip', 'link', 'set', device, 'up');
  return carrier;
}

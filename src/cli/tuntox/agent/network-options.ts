/** Options about the network, which a command passes on to the agent that it starts. */
import { resolve } from 'node:path';
import { NETWORK_OPTIONS } from '../commands.js';
import type { GivenFlag } from '../flags.js';

/** Returns them as `--bootstrap=…`. */
export const networkOptionsOf = (flags: readonly GivenFlag[]): string[] =>
  flags.filter(({ flag }) => NETWORK_OPTIONS.includes(flag)).map(written);

function written({ flag, value }: GivenFlag): string {
  if (value === undefined) return flag;
  return `${flag}=${flag === '--nodes-file' ? resolve(value) : value}`;
}

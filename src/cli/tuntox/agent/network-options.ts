/** Options which a command passes on to the agent that it starts. */
import { resolve } from 'node:path';
import type { GivenFlag } from '../flags.js';
import { NETWORK_OPTIONS } from '../option-table.js';

/** Returns options as `--bootstrap=…`. */
export const writtenOptions = (flags: readonly GivenFlag[]): string[] => flags.map(written);

/** Returns those about the network. */
export const networkOptionsOf = (flags: readonly GivenFlag[]): string[] =>
  writtenOptions(flags.filter(({ flag }) => NETWORK_OPTIONS.includes(flag)));

function written({ flag, value }: GivenFlag): string {
  if (value === undefined) return flag;
  return `${flag}=${flag === '--nodes-file' ? resolve(value) : value}`;
}

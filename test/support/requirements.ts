/**
 * What a test needs beyond Node. A test that cannot have it is left out with its reason, which the report at the end of
 * `make test` repeats; with CI=true it fails instead, for there nothing may be left out.
 *
 *     t.test('…', async (t) => {
 *       if (!requirementsMet(t, tool('tox-bootstrapd', 'toxcore-utils'), tool('gcc', 'gcc'))) return;
 */
import { accessSync, constants, existsSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Test } from 'tap';
import { nativeBox } from '../../src/tox/crypto/session-box.js';
import { nativeAddon } from '../../src/tox/network/native-addon.js';

export interface Requirement {
  readonly isMet: boolean;
  /** What is missing and how to get it, when it is not met. */
  readonly reason: string;
  /** An extra that no machine has to have, such as a build of another program: left out even with CI=true, by name. */
  readonly isOptional: boolean;
}

/** A program on the PATH. */
export function tool(name: string, debianPackage: string): Requirement {
  const directories = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  const isMet = directories.some((directory) => isExecutable(join(directory, name)));
  return { isMet, reason: `${name} is missing (apt-get install ${debianPackage})`, isOptional: false };
}

/** A file that a package brings, such as a C header. */
export function systemFile(path: string, debianPackage: string): Requirement {
  return {
    isMet: existsSync(path),
    reason: `${path} is missing (apt-get install ${debianPackage})`,
    isOptional: false,
  };
}

/** The rights of root, and what for. */
export function root(purpose: string): Requirement {
  return { isMet: process.getuid?.() === 0, reason: `needs root to ${purpose}`, isOptional: false };
}

/** IPv6 on the loopback interface. */
export function ipv6Loopback(): Requirement {
  const isMet = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'));
  return { isMet, reason: 'this machine has no ::1', isOptional: false };
}

/** Our addon for UDP, which `make build` makes where a C compiler is. */
export function builtAddon(): Requirement {
  const isMet = nativeAddon({}) !== undefined;
  return { isMet, reason: 'the native UDP part is not built (apt-get install gcc libc6-dev; make)', isOptional: false };
}

/** Its part for the boxes of a session, which needs the system's libsodium. */
export function builtBox(): Requirement {
  const isMet = nativeBox() !== undefined;
  return {
    isMet,
    reason: 'the native part finds no libsodium (apt-get install gcc libc6-dev libsodium23; make)',
    isOptional: false,
  };
}

/** An optional program that a variable of the environment names, such as TUNTOX_UPSTREAM. */
export function namedBy(variable: string, what: string): Requirement {
  const path = process.env[variable];
  return {
    isMet: path !== undefined && isExecutable(path),
    reason: path ? `${variable} names no program: ${path}` : `${variable} does not name ${what}`,
    // Once it was given, it must work.
    isOptional: path === undefined || path === '',
  };
}

/** True when all are met; else the test is left out, or fails with CI=true, and should return at once. */
export function requirementsMet(t: Test, ...requirements: readonly Requirement[]): boolean {
  const missing = requirements.filter(({ isMet }) => !isMet);
  if (missing.length === 0) return true;
  const reason = missing.map((requirement) => requirement.reason).join('; ');
  const mayBeLeftOut = process.env.CI !== 'true' || missing.some(({ isOptional }) => isOptional);
  if (mayBeLeftOut) t.pass(reason, { skip: reason });
  else t.fail(`with CI=true nothing may be left out: ${reason}`);
  return false;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The part of the settings that says who gets in, with the secret that a file or a credential of systemd brings. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError, messageOf } from '../base/coded-error.js';
import type { Logger } from '../base/logger.js';
import { readSecretFile } from '../config/secret-file.js';
import type { AccessSettings } from '../engine/access/access-control.js';
import type { Settings } from './configuration.js';

/** By this name the unit imports it: /etc/credstore has those of all services. systemd.exec(5) says where it lies. */
const CREDENTIAL = 'tuntox.secret';

interface Deps {
  readonly log: Logger;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

interface SecretPlace {
  readonly from: 'configuration' | 'credential';
  readonly path: string;
}

/** Where a secret comes from that is not the kept one; the configuration goes before the credential. */
export function secretPlace({ environment }: Pick<Deps, 'environment'>, settings: Settings): SecretPlace | undefined {
  const { secretFile } = settings.access;
  if (secretFile !== undefined) return { from: 'configuration', path: secretFile };
  const { CREDENTIALS_DIRECTORY: directory } = environment;
  const path = directory ? join(directory, CREDENTIAL) : undefined;
  return path !== undefined && existsSync(path) ? { from: 'credential', path } : undefined;
}

/** @throws CodedError when the secret cannot be read */
export function accessSettings(deps: Deps, settings: Settings): AccessSettings {
  const place = secretPlace(deps, settings);
  const { require, isOpen } = settings.access;
  return { require, isOpen, givenSecret: place === undefined ? undefined : readSecretFile(place.path, deps.log) };
}

/** For the start, which a secret that cannot be read does not prevent: it closes the door, and a warning of the status says so. */
export function accessSettingsOrFault(deps: Deps, settings: Settings): AccessSettings {
  try {
    return accessSettings(deps, settings);
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    const { require, isOpen } = settings.access;
    return { require, isOpen, givenSecret: undefined, secretFault: messageOf(error) };
  }
}

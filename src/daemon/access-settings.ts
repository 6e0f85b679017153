/** The access settings, with the secret from a file or a systemd credential. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError, messageOf } from '../base/coded-error.js';
import type { Logger } from '../base/logger.js';
import { readSecretFile } from '../config/secret-file.js';
import type { AccessSettings } from '../engine/access/access-control.js';
import type { Settings } from './configuration.js';

/** The name under which the unit imports it: /etc/credstore has the credentials of all services (systemd.exec(5)). */
const CREDENTIAL = 'tuntox.secret';

interface Deps {
  readonly log: Logger;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

interface SecretPlace {
  readonly from: 'configuration' | 'credential';
  readonly path: string;
}

/** Returns the source of a secret that the daemon does not store itself. The configuration precedes the credential. */
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

/** For the start: a secret that cannot be read does not prevent it. Then no client is admitted, and a warning says why. */
export function accessSettingsOrError(deps: Deps, settings: Settings): AccessSettings {
  try {
    return accessSettings(deps, settings);
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    const { require, isOpen } = settings.access;
    return { require, isOpen, givenSecret: undefined, secretError: messageOf(error) };
  }
}

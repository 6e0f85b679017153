/** The users of proxies (--socks-auth). A file of its own: a client of the agent loads nothing else of the given files. */
import type { Logger } from '../../base/logger.js';
import type { RunSettings } from '../../config/classic-settings.js';
import { isProxyText } from '../../config/forward-text.js';
import { readProxyUsersFile } from '../../config/proxy-users-file.js';

/** @returns the settings with the users of the proxies in place of their file @throws FileError, SecretFileError */
export function withProxyUsers<Settings extends RunSettings>(settings: Settings, log: Logger): Settings {
  if (settings.mode !== 'forward' || settings.proxyUsersFile === undefined) return settings;
  const users = readProxyUsersFile(settings.proxyUsersFile, log, { mayWait: true });
  const forwards = settings.forwards.map((one) => (isProxyText(one) ? { ...one, users } : one));
  return { ...settings, proxyUsersFile: undefined, forwards };
}

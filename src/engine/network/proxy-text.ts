/** Why a proxy cannot be used, and what to do, in words. */
import type { ProxyError } from './tox-stack.js';

const adviceOf = (setting: string): Readonly<Record<ProxyError['code'], string>> => ({
  unreachable: `check that it runs, and its address in ${setting}`,
  silent: 'check that it is a proxy of this kind, and lets this machine use it',
  'not-a-proxy': `check its kind (socks5:// or http://) and its port in ${setting}`,
  credentials: `write the right ones in ${setting}, as in socks5://USER:PASSWORD@HOST:PORT`,
  refuses: 'have its owner allow connections to the TCP ports of the nodes, such as 443, 3389 and 33445',
});

/** @param setting the name of the setting that names the proxy */
export function proxyText({ code, proxy, reason }: ProxyError, setting: string): string {
  return `${proxy}: ${reason}: ${adviceOf(setting)[code]}; nothing goes around the proxy`;
}

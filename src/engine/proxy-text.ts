/** What the user of a proxy is told when it is of no use, and what to do. */
import type { ProxyFault } from './tox-stack.js';

const ADVICE: Readonly<Record<ProxyFault['code'], string>> = {
  unreachable: 'check that it runs, and its address in --proxy or ALL_PROXY',
  silent: 'check that it is a proxy of this kind, and lets this machine use it',
  'not-a-proxy': 'check its kind (socks5:// or http://) and its port in --proxy or ALL_PROXY',
  credentials: 'write the right ones in --proxy or ALL_PROXY, as in socks5://USER:PASSWORD@HOST:PORT',
  refuses: 'have its owner allow connections to the TCP ports of the nodes, such as 443, 3389 and 33445',
};

export function proxyText({ code, proxy, reason }: ProxyFault): string {
  return `${proxy}: ${reason}: ${ADVICE[code]}; nothing goes around the proxy`;
}

/** The text of `-L`: `[bind:]port:host:port`, with `@` for `:` where wanted and brackets around IPv6 addresses. */
import { parseHost, parsePort, splitAtColons, type Target } from './target.js';

/** Unlike upstream, which listens on every address: whoever can connect is let through to the target. */
const DEFAULT_BIND = '127.0.0.1';

export interface ForwardSpec {
  /** An address or a name of this machine; undefined means all of them. */
  readonly bind: string | undefined;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly target: Target;
}

/** An empty bind address, or `*`, means all addresses, as in ssh. Undefined for what cannot be read. */
export function parseForward(text: string): ForwardSpec | undefined {
  const parts = splitAtColons(text);
  if (parts === undefined || parts.length < 3 || parts.length > 4) return undefined;
  const [portText, hostText, targetPortText] = parts.slice(-3) as [string, string, string];
  const bindText = parts.length === 4 ? (parts[0] as string) : DEFAULT_BIND;
  const isEverywhere = bindText === '' || bindText === '*';
  const bind = isEverywhere ? undefined : parseHost(bindText);
  const port = parsePort(portText);
  const host = parseHost(hostText);
  const targetPort = parsePort(targetPortText);
  if ((bind === undefined && !isEverywhere) || port === undefined || host === undefined || !targetPort)
    return undefined;
  return { bind, port, target: { host, port: targetPort } };
}

export function describeForward(spec: ForwardSpec): string {
  const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host);
  return `${bracketed(spec.bind ?? '*')}:${spec.port}:${bracketed(spec.target.host)}:${spec.target.port}`;
}

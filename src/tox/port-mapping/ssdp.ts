/** How UPnP devices are found (UPnP Device Architecture 1.1, chapter 1): a question to all in the local network. */
import { Endpoint } from '../../base/endpoint.js';

/** Specification: the group in which devices listen. */
export const SSDP_GROUP = Endpoint.of('239.255.255.250', 1900) as Endpoint;
/** Specification: version 2 answers those who ask for 1 as well, but not every router knows that. */
const KINDS = [1, 2].map((version) => `urn:schemas-upnp-org:device:InternetGatewayDevice:${version}`);
/** Specification: seconds over which the answers may spread. */
const LONGEST_DELAY = 1;

export const SEARCHES: readonly Buffer[] = KINDS.map((kind) =>
  Buffer.from(
    [
      'M-SEARCH * HTTP/1.1',
      `HOST: ${SSDP_GROUP.key}`,
      'MAN: "ssdp:discover"',
      `MX: ${LONGEST_DELAY}`,
      `ST: ${kind}`,
      '',
      '',
    ].join('\r\n'),
  ),
);

/**
 * Where the device describes itself. Only on its own host: else anybody in the local network could make us ask others.
 * @returns undefined for what is no answer of a router
 */
export function decodeSsdpAnswer(packet: Buffer, source: Endpoint): URL | undefined {
  const [status = '', ...lines] = packet.toString('latin1').split('\r\n');
  if (!/^HTTP\/1\.[01] 200/i.test(status)) return undefined;
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).trim().toUpperCase(), line.slice(colon + 1).trim()] as const;
    }),
  );
  if (!KINDS.includes(headers.get('ST') ?? '')) return undefined;
  return urlOn(source.address, headers.get('LOCATION') ?? '');
}

/** A URL if it is one of HTTP on this very host. @param base of relative ones */
export function urlOn(host: string, text: string, base?: URL): URL | undefined {
  if (!URL.canParse(text, base?.href)) return undefined;
  const url = new URL(text, base?.href);
  return url.protocol === 'http:' && url.hostname === host && url.username === '' ? url : undefined;
}

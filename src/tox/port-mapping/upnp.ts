/**
 * Maps ports at a router by UPnP (Internet Gateway Device 1 and 2; UPnP Device Architecture 1.1). A multicast search (SSDP) finds
 * the router, which then describes itself and is called by SOAP over HTTP:
 *
 *     search -> description -> AddPortMapping -> GetExternalIPAddress, and at the end DeletePortMapping
 */
import type { Clock } from '../../base/clock.js';
import { messageOf } from '../../base/coded-error.js';
import { Endpoint } from '../../base/endpoint.js';
import type { Random } from '../../base/random.js';
import type { DatagramSocket } from '../network/datagram-socket.js';
import type { Gateway } from '../network/default-gateway.js';
import type { HttpAnswer, HttpRequest, RequestHttp } from '../network/http-request.js';
import { Exchange } from './exchange.js';
import {
  failed,
  keyOf,
  LIFETIME,
  type LocalPort,
  type MapResult,
  type OpenSocket,
  type PortMapper,
} from './port-mapper.js';
import { elementsOf } from './xml.js';

/** Specification: the multicast group in which devices listen. */
const SSDP_GROUP = Endpoint.of('239.255.255.250', 1900) as Endpoint;
/** Specification: version 2 answers searches for version 1, too, but not every router does so. */
const DEVICES = [1, 2].map((version) => `urn:schemas-upnp-org:device:InternetGatewayDevice:${version}`);
/** Specification: seconds over which the answers may be spread. */
const MAX_DELAY = 1;
/** ms after each search; answers may take 1 s, and multicast packets get lost in wireless networks. */
const SEARCH_GAPS = [400, 1_600];

export const SEARCHES: readonly Buffer[] = DEVICES.map((device) =>
  Buffer.from(
    [
      'M-SEARCH * HTTP/1.1',
      `HOST: ${SSDP_GROUP.key}`,
      'MAN: "ssdp:discover"',
      `MX: ${MAX_DELAY}`,
      `ST: ${device}`,
      '',
      '',
    ].join('\r\n'),
  ),
);

/** Specification: the service that opens ports; WANPPPConnection belongs to routers that dial in. */
const SERVICE = /^urn:schemas-upnp-org:service:WAN(IP|PPP)Connection:[12]$/;
/** Specification: another machine has the external port; the router supports no lifetimes. */
const CONFLICT = 718;
const PERMANENT_ONLY = 725;
/** Further external ports that are tried, chosen above the privileged ones. */
const PORT_ATTEMPTS = 3;
const LOWEST_PORT = 1024;

interface SoapService {
  /** Such as urn:schemas-upnp-org:service:WANIPConnection:1. */
  readonly type: string;
  readonly url: URL;
}

type SoapResult =
  | { readonly kind: 'done'; readonly values: ReadonlyMap<string, string> }
  | { readonly kind: 'error'; readonly code: number };

interface UpnpDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly openSocket: OpenSocket;
  readonly request: RequestHttp;
}

export class Upnp implements PortMapper {
  readonly #deps: UpnpDeps;
  readonly #gateway: Gateway;
  readonly #exchange: Exchange;
  readonly #externalPorts = new Map<string, number>();
  #service: Promise<SoapService | string> | undefined;
  #isClosed = false;

  constructor(deps: UpnpDeps, gateway: Gateway) {
    this.#deps = deps;
    this.#gateway = gateway;
    this.#exchange = new Exchange(deps.clock);
  }

  /** Finds the router, or waits for a running search; after a failure the next call searches again. */
  find(): Promise<SoapService | string> {
    this.#service ??= this.#find().then((found) => {
      if (typeof found === 'string') this.#service = undefined;
      return found;
    });
    return this.#service;
  }

  async map(port: LocalPort): Promise<MapResult> {
    const service = await this.find();
    if (typeof service === 'string') return failed(service);
    const result = await this.#add(service, port);
    // A restarted router may use other URLs.
    if (result.kind === 'failed') this.#service = undefined;
    return result;
  }

  async unmap(port: LocalPort): Promise<void> {
    const externalPort = this.#externalPorts.get(keyOf(port));
    const service = await this.find();
    if (externalPort === undefined || typeof service === 'string') return;
    this.#externalPorts.delete(keyOf(port));
    await this.#call(service, 'DeletePortMapping', {
      NewRemoteHost: '',
      NewExternalPort: externalPort,
      NewProtocol: port.protocol.toUpperCase(),
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#exchange.close();
  }

  async #find(): Promise<SoapService | string> {
    let socket: DatagramSocket;
    try {
      socket = await this.#deps.openSocket(this.#exchange.receive);
    } catch (error) {
      return messageOf(error);
    }
    const location = await this.#exchange.run({
      send: () => {
        for (const search of SEARCHES) socket.send(search, SSDP_GROUP);
      },
      gaps: SEARCH_GAPS,
      // Other devices cannot open ports for us.
      read: (packet, source) =>
        source.address === this.#gateway.address ? decodeSsdpAnswer(packet, source) : undefined,
    });
    socket.close();
    if (location === undefined) return 'no answer to UPnP';
    const description = await this.#deps.request({ url: location, method: 'GET', headers: { Connection: 'close' } });
    if (description?.status !== 200) return 'UPnP: the router does not describe itself';
    return serviceIn(description.body, location) ?? 'UPnP: the router opens no ports';
  }

  async #add(service: SoapService, port: LocalPort): Promise<MapResult> {
    let externalPort = this.#externalPorts.get(keyOf(port)) ?? port.port;
    let lifetime = LIFETIME / 1000;
    let result: SoapResult | undefined;
    for (let attempt = 0; attempt <= PORT_ATTEMPTS; attempt += 1) {
      result = await this.#call(service, 'AddPortMapping', {
        NewRemoteHost: '',
        NewExternalPort: externalPort,
        NewProtocol: port.protocol.toUpperCase(),
        NewInternalPort: port.port,
        NewInternalClient: this.#gateway.ownAddress,
        NewEnabled: 1,
        NewPortMappingDescription: 'tuntox',
        NewLeaseDuration: lifetime,
      });
      if (result?.kind !== 'error') break;
      if (result.code === PERMANENT_ONLY && lifetime !== 0) lifetime = 0;
      else if (result.code === CONFLICT) externalPort = LOWEST_PORT + this.#deps.random.below(0x10000 - LOWEST_PORT);
      else break;
    }
    if (result === undefined) return failed('UPnP: the router does not answer the request');
    if (result.kind === 'error') return failed(`UPnP: error ${result.code}`);
    this.#externalPorts.set(keyOf(port), externalPort);
    const answer = await this.#call(service, 'GetExternalIPAddress', {});
    const address = answer?.kind === 'done' ? (answer.values.get('NewExternalIPAddress') ?? '') : '';
    const external = Endpoint.of(address, externalPort);
    if (external === undefined) return failed('UPnP: the router does not report its external address');
    return { kind: 'mapped', mapping: { external, lifetime: LIFETIME, by: 'UPnP' } };
  }

  async #call(
    service: SoapService,
    action: string,
    values: Readonly<Record<string, string | number>>,
  ): Promise<SoapResult | undefined> {
    if (this.#isClosed) return undefined;
    return soapResult(action, await this.#deps.request(soapRequest(service, action, values)));
  }
}

/**
 * Returns the URL at which a device describes itself; undefined if the packet is no answer of a router. The URL must be on the
 * device's own host: otherwise any machine of the local network could make us send requests to others.
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
  if (!DEVICES.includes(headers.get('ST') ?? '')) return undefined;
  return urlOn(source.address, headers.get('LOCATION') ?? '');
}

/** Returns an HTTP URL if it is on this host. @param base for relative URLs */
function urlOn(host: string, text: string, base?: URL): URL | undefined {
  if (!URL.canParse(text, base?.href)) return undefined;
  const url = new URL(text, base?.href);
  return url.protocol === 'http:' && url.hostname === host && url.username === '' ? url : undefined;
}

/** @param values in the order of the specification, on which some routers insist */
function soapRequest(
  { type, url }: SoapService,
  action: string,
  values: Readonly<Record<string, string | number>>,
): HttpRequest {
  const elements = Object.entries(values).map(([name, value]) => `<${name}>${value}</${name}>`);
  const envelope = 'http://schemas.xmlsoap.org/soap/envelope/';
  const encoding = 'http://schemas.xmlsoap.org/soap/encoding/';
  return {
    url,
    method: 'POST',
    headers: { 'Content-Type': 'text/xml; charset="utf-8"', SOAPAction: `"${type}#${action}"`, Connection: 'close' },
    body:
      `<?xml version="1.0"?>\r\n<s:Envelope xmlns:s="${envelope}" s:encodingStyle="${encoding}"><s:Body>` +
      `<u:${action} xmlns:u="${type}">${elements.join('')}</u:${action}></s:Body></s:Envelope>\r\n`,
  };
}

function soapResult(action: string, answer: HttpAnswer | undefined): SoapResult | undefined {
  if (answer === undefined) return undefined;
  const [values] = answer.status === 200 ? elementsOf(answer.body, `${action}Response`) : [];
  if (values !== undefined) return { kind: 'done', values };
  const code = Number(elementsOf(answer.body, 'UPnPError')[0]?.get('errorCode'));
  return Number.isInteger(code) ? { kind: 'error', code } : undefined;
}

/** Returns the first service of a description that opens ports. */
export function serviceIn(description: string, location: URL): SoapService | undefined {
  const stated = elementsOf(description, 'root')[0]?.get('URLBase');
  const base = (stated === undefined ? undefined : urlOn(location.hostname, stated)) ?? location;
  for (const service of elementsOf(description, 'service')) {
    const type = service.get('serviceType') ?? '';
    const url = urlOn(location.hostname, service.get('controlURL') ?? '', base);
    if (SERVICE.test(type) && url !== undefined) return { type, url };
  }
  return undefined;
}

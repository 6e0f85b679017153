/**
 * A router that opens ports when asked by UPnP (Internet Gateway Device 1 and 2). It is searched for, describes itself, and is
 * then called:
 *
 *     search (ssdp) -> description -> AddPortMapping -> GetExternalIPAddress, and at last DeletePortMapping (soap)
 */
import type { Clock } from '../../base/clock.js';
import { messageOf } from '../../base/coded-error.js';
import { Endpoint } from '../../base/endpoint.js';
import type { Random } from '../../base/random.js';
import type { DatagramSocket } from '../network/datagram-socket.js';
import type { Gateway } from '../network/default-gateway.js';
import type { RequestHttp } from '../network/http-request.js';
import { Exchange } from './exchange.js';
import { failed, LIFETIME, type LocalPort, type MapResult, type OpenSocket, type PortMapper } from './port-mapper.js';
import { type SoapResult, type SoapService, soapRequest, soapResult } from './soap.js';
import { decodeSsdpAnswer, SEARCHES, SSDP_GROUP, urlOn } from './ssdp.js';
import { elementsOf } from './xml.js';

/** ms after each search; answers may come up to 1 s late, and multicast gets lost in wireless networks. */
const SEARCH_GAPS = [400, 1_600];
/** Specification: what opens ports; the second is of routers that dial in. */
const SERVICE = /^urn:schemas-upnp-org:service:WAN(IP|PPP)Connection:[12]$/;
/** Specification: the outside port is somebody else's; the router knows no lifetimes. */
const CONFLICT = 718;
const PERMANENT_ONLY = 725;
/** Outside ports that are tried when others have them, chosen above the privileged ones. */
const PORT_ATTEMPTS = 3;
const LOWEST_PORT = 1024;

export interface UpnpDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly openSocket: OpenSocket;
  readonly request: RequestHttp;
}

export class Upnp implements PortMapper {
  readonly #deps: UpnpDeps;
  readonly #gateway: Gateway;
  readonly #exchange: Exchange;
  readonly #outsidePorts = new Map<string, number>();
  #service: Promise<SoapService | string> | undefined;
  #isClosed = false;

  constructor(deps: UpnpDeps, gateway: Gateway) {
    this.#deps = deps;
    this.#gateway = gateway;
    this.#exchange = new Exchange(deps.clock);
  }

  /** Finds the router, if that is not under way; what fails is tried anew the next time. */
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
    // After a restart its calls may have other addresses.
    if (result.kind === 'failed') this.#service = undefined;
    return result;
  }

  async unmap(port: LocalPort): Promise<void> {
    const outsidePort = this.#outsidePorts.get(keyOf(port));
    const service = await this.find();
    if (outsidePort === undefined || typeof service === 'string') return;
    this.#outsidePorts.delete(keyOf(port));
    await this.#call(service, 'DeletePortMapping', {
      NewRemoteHost: '',
      NewExternalPort: outsidePort,
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
      ask: () => {
        for (const search of SEARCHES) socket.send(search, SSDP_GROUP);
      },
      gaps: SEARCH_GAPS,
      // Others than our router could open nothing for us.
      read: (packet, source) =>
        source.address === this.#gateway.address ? decodeSsdpAnswer(packet, source) : undefined,
    });
    socket.close();
    if (location === undefined) return 'no answer to UPnP';
    const description = await this.#deps.request({ url: location, method: 'GET', headers: { Connection: 'close' } });
    if (description?.status !== 200) return 'UPnP: it does not describe itself';
    return serviceIn(description.body, location) ?? 'UPnP: it opens no ports';
  }

  async #add(service: SoapService, port: LocalPort): Promise<MapResult> {
    let outsidePort = this.#outsidePorts.get(keyOf(port)) ?? port.port;
    let lifetime = LIFETIME / 1000;
    let result: SoapResult | undefined;
    for (let attempt = 0; attempt <= PORT_ATTEMPTS; attempt += 1) {
      result = await this.#call(service, 'AddPortMapping', {
        NewRemoteHost: '',
        NewExternalPort: outsidePort,
        NewProtocol: port.protocol.toUpperCase(),
        NewInternalPort: port.port,
        NewInternalClient: this.#gateway.ownAddress,
        NewEnabled: 1,
        NewPortMappingDescription: 'tuntox',
        NewLeaseDuration: lifetime,
      });
      if (result?.kind !== 'error') break;
      if (result.code === PERMANENT_ONLY && lifetime !== 0) lifetime = 0;
      else if (result.code === CONFLICT) outsidePort = LOWEST_PORT + this.#deps.random.below(0x10000 - LOWEST_PORT);
      else break;
    }
    if (result === undefined) return failed('UPnP: it does not answer our request');
    if (result.kind === 'error') return failed(`UPnP: error ${result.code}`);
    this.#outsidePorts.set(keyOf(port), outsidePort);
    const told = await this.#call(service, 'GetExternalIPAddress', {});
    const address = told?.kind === 'done' ? (told.values.get('NewExternalIPAddress') ?? '') : '';
    const outside = Endpoint.of(address, outsidePort);
    if (outside === undefined) return failed('UPnP: it does not tell its outside address');
    return { kind: 'mapped', mapping: { outside, lifetime: LIFETIME, by: 'UPnP' } };
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

/** The first service of a description that opens ports. */
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

const keyOf = ({ protocol, port }: LocalPort): string => `${protocol}/${port}`;

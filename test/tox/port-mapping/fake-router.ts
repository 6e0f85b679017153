/** A router on simulated time, which supports the protocols that a test chooses, and records its mappings. */
import { Endpoint } from '../../../src/base/endpoint.js';
import type { DatagramHandler } from '../../../src/tox/network/datagram-socket.js';
import type { RequestHttp } from '../../../src/tox/network/http-request.js';
import type { OpenSocket } from '../../../src/tox/port-mapping/port-mapper.js';
import type { ManualClock } from '../../support/manual-clock.js';

export const GATEWAY = { address: '10.1.0.1', ownAddress: '10.1.0.10' };
const EXTERNAL = '11.1.0.1';
const LOCATION = `http://${GATEWAY.address}:5000/rootDesc.xml`;
const TYPE = 'urn:schemas-upnp-org:service:WANIPConnection:1';

export const DESCRIPTION = `<?xml version="1.0"?>
<root xmlns="urn:schemas-upnp-org:device-1-0"><device><deviceList><device><serviceList>
<service><serviceType>urn:schemas-upnp-org:service:Layer3Forwarding:1</serviceType><controlURL>/ctl/L3F</controlURL></service>
<service><serviceType>${TYPE}</serviceType><controlURL>/ctl/IPConn</controlURL></service>
</serviceList></device></deviceList></device></root>`;

const soapBody = (inner: string): string =>
  `<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>${inner}</s:Body></s:Envelope>`;

export class FakeRouter {
  readonly #clock: ManualClock;
  readonly #handlers = new Set<DatagramHandler>();
  pcp = false;
  natPmp = false;
  upnp = false;
  external = EXTERNAL;
  /** The longest lifetime that it grants, seconds. */
  lifetime = 7200;
  /** Errors with which it answers the next calls of AddPortMapping. */
  readonly upnpErrors: number[] = [];
  /** Such as `udp 7000 > 7000`, external port last. */
  readonly open = new Set<string>();
  /** The requests in order: `PCP`, `NAT-PMP`, `SSDP`, and the action of each call. */
  readonly asked: string[] = [];
  readonly calls: string[] = [];
  socketsOpen = 0;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  readonly openSocket: OpenSocket = async (onDatagram) => {
    this.#handlers.add(onDatagram);
    this.socketsOpen += 1;
    return {
      localPort: 50000,
      hasIpv6: false,
      fragmentsMade: () => 0,
      mtuTowards: async () => undefined,
      send: (packet, to) => void this.#clock.after(1, () => this.#receive(packet, to, onDatagram)),
      close: () => {
        this.#handlers.delete(onDatagram);
        this.socketsOpen -= 1;
      },
    };
  };

  /** Delivers a datagram from any source to all sockets. */
  inject(packet: Buffer, source: Endpoint): void {
    for (const handler of this.#handlers) handler(packet, source);
  }

  readonly request: RequestHttp = async ({ url, method, headers, body = '' }) => {
    if (!this.upnp) return undefined;
    if (method === 'GET') return { status: url.href === LOCATION ? 200 : 404, body: DESCRIPTION };
    const action = /#(\w+)"$/.exec(headers?.SOAPAction ?? '')?.[1] ?? '';
    this.asked.push(action);
    this.calls.push(body);
    const value = (name: string): string => new RegExp(`<${name}>([^<]*)<`).exec(body)?.[1] ?? '';
    const protocol = value('NewProtocol').toLowerCase();
    if (action === 'AddPortMapping') {
      const code = this.upnpErrors.shift();
      if (code !== undefined) {
        const detail = `<detail><UPnPError><errorCode>${code}</errorCode></UPnPError></detail>`;
        return { status: 500, body: soapBody(`<s:Fault>${detail}</s:Fault>`) };
      }
      this.open.add(`${protocol} ${value('NewInternalPort')} > ${value('NewExternalPort')}`);
    }
    if (action === 'DeletePortMapping') this.#forget((line) => line.endsWith(`> ${value('NewExternalPort')}`));
    const values =
      action === 'GetExternalIPAddress' ? `<NewExternalIPAddress>${this.external}</NewExternalIPAddress>` : '';
    return { status: 200, body: soapBody(`<u:${action}Response xmlns:u="${TYPE}">${values}</u:${action}Response>`) };
  };

  #receive(packet: Buffer, { address, port }: Endpoint, answer: DatagramHandler): void {
    const reply = (bytes: Buffer, from = port): void => answer(bytes, Endpoint.of(GATEWAY.address, from) as Endpoint);
    if (port === 1900) {
      this.asked.push('SSDP');
      const kind = /^ST: (.*)$/m.exec(packet.toString())?.[1];
      if (this.upnp) reply(Buffer.from(`HTTP/1.1 200 OK\r\nst: ${kind}\r\nLocation: ${LOCATION}\r\n\r\n`));
      return;
    }
    if (address !== GATEWAY.address || port !== 5351) throw new Error(`asked ${address}:${port}`);
    if (packet[0] === 2) this.#pcp(packet, reply);
    else this.#natPmp(packet, reply);
  }

  #pcp(packet: Buffer, reply: (bytes: Buffer) => void): void {
    this.asked.push('PCP');
    if (!this.pcp) {
      if (this.natPmp) reply(Buffer.from([0, 0x81, 0, 1, 0, 0, 0, 0]));
      return;
    }
    const answer = Buffer.from(packet);
    answer[1] = 0x81;
    answer.fill(0, 8, 24);
    answer.writeUInt32BE(this.#grant(packet.readUInt32BE(4)), 4);
    Buffer.from(this.external.split('.').map(Number)).copy(answer, 56);
    answer.writeUInt16BE(this.#map(packet[36] === 17, packet.readUInt16BE(40), packet.readUInt32BE(4)), 42);
    reply(answer);
  }

  #natPmp(packet: Buffer, reply: (bytes: Buffer) => void): void {
    this.asked.push('NAT-PMP');
    if (!this.natPmp) return;
    if (packet[1] === 0) {
      reply(Buffer.from([0, 0x80, 0, 0, 0, 0, 0, 1, ...this.external.split('.').map(Number)]));
      return;
    }
    const answer = Buffer.alloc(16);
    answer[1] = 0x80 | (packet[1] as number);
    packet.copy(answer, 8, 4, 6);
    answer.writeUInt16BE(this.#map(packet[1] === 1, packet.readUInt16BE(4), packet.readUInt32BE(8)), 10);
    answer.writeUInt32BE(this.#grant(packet.readUInt32BE(8)), 12);
    reply(answer);
  }

  #grant(seconds: number): number {
    return Math.min(seconds, this.lifetime);
  }

  #map(isUdp: boolean, port: number, seconds: number): number {
    const line = `${isUdp ? 'udp' : 'tcp'} ${port} > ${port}`;
    if (seconds === 0) this.#forget((other) => other === line);
    else this.open.add(line);
    return port;
  }

  #forget(isMeant: (line: string) => boolean): void {
    for (const line of this.open) if (isMeant(line)) this.open.delete(line);
  }
}

/** Advances simulated time in small steps, between which promises run. */
export async function pass(clock: ManualClock, duration: number): Promise<void> {
  const step = duration > 10_000 ? 1_000 : duration > 100 ? 50 : 1;
  for (let left = duration; left > 0; left -= step) {
    await new Promise(setImmediate);
    clock.advance(Math.min(step, left));
  }
  await new Promise(setImmediate);
}

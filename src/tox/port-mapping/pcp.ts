/**
 * Port Control Protocol, version 2 (RFC 6887): the MAP request and its answer, for UDP and TCP over IPv4.
 *
 *     request: version (1) = 2 || opcode (1) = 1 || reserved (2) || lifetime, s (4) || our address (16)
 *              || nonce (12) || protocol (1) || reserved (3) || our port (2) || external port (2) || external address (16)
 *     answer:  version (1) = 2 || opcode (1) = 0x81 || reserved (1) || result (1) || lifetime, s (4) || epoch (4) || reserved (12)
 *              || nonce (12) || protocol (1) || reserved (3) || our port (2) || external port (2) || external address (16)
 */
import { ByteReader, ByteWriter } from '../../base/bytes.js';
import { Endpoint } from '../../base/endpoint.js';
import type { LocalPort } from './port-mapper.js';

/** Specification: the version, the opcode MAP, and the bit of answers. */
const VERSION = 2;
const MAP = 1;
const ANSWER = 0x80;
/** Specification (IANA): protocol numbers. */
const PROTOCOL = { udp: 17, tcp: 6 } as const;
const NONCE_SIZE = 12;
const SIZE = 60;
/** Specification: an error may lack the part that belongs to the opcode. */
const HEADER_SIZE = 24;

/** Specification (section 7.4). */
const RESULTS: readonly string[] = [
  'success',
  'version not supported',
  'not authorized',
  'request malformed',
  'opcode not supported',
  'option not supported',
  'option malformed',
  'network failure',
  'no resources',
  'protocol not supported',
  'port quota exceeded',
  'external address not available',
  'address mismatch',
  'too many remote peers',
];

export interface PcpRequest {
  readonly port: LocalPort;
  /** 12 bytes, the same for the whole life of a mapping: without them no other machine can change it or answer. */
  readonly nonce: Buffer;
  readonly ownAddress: Endpoint;
  /** Seconds; 0 deletes the mapping. */
  readonly lifetime: number;
  /** The external port to request. */
  readonly suggested: number;
}

export type PcpAnswer =
  | { readonly kind: 'mapped'; readonly external: Endpoint; readonly lifetime: number }
  | { readonly kind: 'refused'; readonly reason: string }
  /** The router supports NAT-PMP only. */
  | { readonly kind: 'other-version' };

export function encodePcpRequest({ port, nonce, ownAddress, lifetime, suggested }: PcpRequest): Buffer {
  const writer = new ByteWriter(SIZE).u8(VERSION).u8(MAP).zeros(2).u32(lifetime).bytes(mappedIntoIpv6(ownAddress));
  writer.bytes(nonce).u8(PROTOCOL[port.protocol]).zeros(3).u16(port.port).u16(suggested);
  return writer.bytes(mappedIntoIpv6(undefined)).finish();
}

/** Returns undefined for a packet that is no answer to the request. */
export function decodePcpAnswer(packet: Buffer, { port, nonce }: PcpRequest): PcpAnswer | undefined {
  const reader = new ByteReader(packet);
  const version = reader.u8();
  const opcode = reader.u8();
  // Specification (appendix A): a router with the older protocol answers in it, with the opcode as it understood ours.
  if (reader.ok && version === 0 && opcode >= ANSWER) return { kind: 'other-version' };
  if (version !== VERSION || opcode !== (ANSWER | MAP)) return undefined;
  reader.skip(1);
  const result = reader.u8();
  const lifetime = reader.u32();
  reader.skip(HEADER_SIZE - 8);
  if (!reader.ok) return undefined;
  if (result !== 0) return { kind: 'refused', reason: RESULTS[result] ?? `result ${result}` };
  const isOurs =
    reader.bytes(NONCE_SIZE).equals(nonce) &&
    reader.u8() === PROTOCOL[port.protocol] &&
    reader.bytes(3).length === 3 &&
    reader.u16() === port.port;
  const externalPort = reader.u16();
  const address = reader.bytes(16);
  if (!reader.ok || !isOurs) return undefined;
  return { kind: 'mapped', external: Endpoint.ofBytes(address, externalPort), lifetime };
}

/** Returns the bytes of ::ffff:a.b.c.d; without an address those of 0.0.0.0, which means any address. */
function mappedIntoIpv6(address: Endpoint | undefined): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.fill(0xff, 10, 12);
  address?.toBytes().copy(bytes, 12);
  return bytes;
}

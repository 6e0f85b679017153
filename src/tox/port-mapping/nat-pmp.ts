/**
 * NAT Port Mapping Protocol (RFC 6886), PCP's predecessor:
 *
 *     address request: version (1) = 0 || opcode (1) = 0
 *     address answer:  version (1) = 0 || opcode (1) = 0x80 || result (2) || epoch (4) || external address (4)
 *     port request:    version (1) = 0 || opcode (1) = 1 UDP, 2 TCP || reserved (2) || our port (2) || external port (2) || lifetime, s (4)
 *     port answer:     version (1) = 0 || opcode (1) + 0x80 || result (2) || epoch (4) || our port (2) || external port (2) || lifetime, s (4)
 */
import { ByteReader, ByteWriter } from '../../base/bytes.js';
import { Endpoint } from '../../base/endpoint.js';
import type { LocalPort } from './port-mapper.js';

/** Specification: opcodes, and the bit of answers. */
const ADDRESS = 0;
const OPCODE = { udp: 1, tcp: 2 } as const;
const ANSWER = 0x80;

/** Specification (section 3.5). */
const RESULTS: readonly string[] = [
  'success',
  'version not supported',
  'not authorized',
  'network failure',
  'no resources',
  'opcode not supported',
];

interface Refusal {
  readonly kind: 'refused';
  readonly reason: string;
}

export const ADDRESS_REQUEST = Buffer.from([0, ADDRESS]);

/** @param suggested the external port to request @param lifetime seconds; 0 deletes the mapping, and then the external port is 0, too */
export function encodePortRequest({ protocol, port }: LocalPort, suggested: number, lifetime: number): Buffer {
  return new ByteWriter(12).u8(0).u8(OPCODE[protocol]).zeros(2).u16(port).u16(suggested).u32(lifetime).finish();
}

/** Returns the external address with port 0; undefined for a packet that is no answer to an address request. */
export function decodeAddressAnswer(packet: Buffer): Endpoint | Refusal | undefined {
  const reader = new ByteReader(packet);
  const refusal = readHeader(reader, ADDRESS);
  if (refusal !== 'success') return refusal;
  const address = reader.bytes(4);
  return reader.isComplete ? Endpoint.ofBytes(address, 0) : undefined;
}

/** Returns the external port and its lifetime, s; undefined for a packet that is no answer to a request for this port. */
export function decodePortAnswer(
  packet: Buffer,
  { protocol, port }: LocalPort,
): { readonly kind: 'mapped'; readonly externalPort: number; readonly lifetime: number } | Refusal | undefined {
  const reader = new ByteReader(packet);
  const refusal = readHeader(reader, OPCODE[protocol]);
  if (refusal !== 'success') return refusal;
  const isOurs = reader.u16() === port;
  const externalPort = reader.u16();
  const lifetime = reader.u32();
  return reader.isComplete && isOurs ? { kind: 'mapped', externalPort, lifetime } : undefined;
}

function readHeader(reader: ByteReader, opcode: number): 'success' | Refusal | undefined {
  const isAnswer = reader.u8() === 0 && reader.u8() === (ANSWER | opcode);
  const result = reader.u16();
  if (!isAnswer || !reader.ok) return undefined;
  if (result !== 0) return { kind: 'refused', reason: RESULTS[result] ?? `result ${result}` };
  reader.skip(4);
  return 'success';
}

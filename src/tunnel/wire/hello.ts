/**
 * How two peers find out that both have the extension: the data of a ping, and of its pong.
 *
 *     magic "tuntox++" || kind u8 (1 hello, 2 answer) || version u8 || records
 *     record: type u8 || length u8 || value
 *       type 1: initial window u32, the bytes that each tunnel may send to this peer before its first window frame
 *       type 2: port u16 || name, a service of the sender that the receiver may reach by this name (in answers)
 *       type 3: empty, more services follow in the next answer (in answers)
 *       type 4: as type 2, for a service with a UDP target
 *       type 5: as type 2 with port 0, for a service that is a Unix socket
 *
 * Upstream returns the bytes of a ping unchanged: a pong of kind 1 is the echo of a peer without the extension.
 */
import { ByteReader, ByteWriter } from '../../base/bytes.js';
import { type Service, serviceOf } from './target.js';

const MAGIC = Buffer.from('tuntox++', 'latin1');
const KINDS = ['hello', 'answer'] as const;
const INITIAL_WINDOW = 1;
const MORE = 3;
/** The record of a service, by the protocol of its target. */
const SERVICE = { tcp: 2, udp: 4, unix: 5 } as const;

export const VERSION = 2;
/** The first version that has early data. */
export const EARLY_VERSION = 2;
/** A window must hold some frames, or a sender that waits for room for a whole frame would wait forever. */
export const MIN_INITIAL_WINDOW = 16 * 1024;

export interface Hello {
  readonly kind: (typeof KINDS)[number];
  /** The highest version that the sender has; both use the lower one. */
  readonly version: number;
  /** Bytes. */
  readonly initialWindow: number;
  /** In answers. */
  readonly services?: readonly Service[];
  /** Whether the next answer has more services. */
  readonly hasMore?: boolean;
}

/** Bytes of a hello without services, and with the mark that more follow. */
const BASE_SIZE = MAGIC.length + 8;
const MORE_SIZE = 2;
const serviceSize = ({ name }: Service): number => 4 + name.length;

export function encodeHello({ kind, version, initialWindow, services = [], hasMore = false }: Hello): Buffer {
  const size = services.reduce((sum, service) => sum + serviceSize(service), BASE_SIZE + (hasMore ? MORE_SIZE : 0));
  const writer = new ByteWriter(size)
    .bytes(MAGIC)
    .u8(KINDS.indexOf(kind) + 1)
    .u8(version)
    .u8(INITIAL_WINDOW)
    .u8(4)
    .u32(initialWindow);
  for (const { name, port, protocol = 'tcp' } of services) {
    writer
      .u8(SERVICE[protocol])
      .u8(2 + name.length)
      .u16(port)
      .bytes(Buffer.from(name, 'latin1'));
  }
  if (hasMore) writer.u8(MORE).u8(0);
  return writer.finish();
}

/** Divides services so that each part fits into one answer of at most `size` bytes; at least one part. */
export function partsOf(services: readonly Service[], size: number): readonly (readonly Service[])[] {
  const parts: Service[][] = [[]];
  let room = size - BASE_SIZE - MORE_SIZE;
  for (const service of services) {
    if (serviceSize(service) > room) {
      parts.push([]);
      room = size - BASE_SIZE - MORE_SIZE;
    }
    parts.at(-1)?.push(service);
    room -= serviceSize(service);
  }
  return parts;
}

/** Skips records of unknown type. Returns undefined for an ordinary ping. */
export function decodeHello(bytes: Buffer): Hello | undefined {
  const reader = new ByteReader(bytes);
  if (!reader.bytes(MAGIC.length).equals(MAGIC)) return undefined;
  const kind = KINDS[reader.u8() - 1];
  const version = reader.u8();
  let initialWindow = 0;
  const services: Service[] = [];
  let hasMore = false;
  while (reader.ok && reader.remaining > 0) {
    const type = reader.u8();
    const value = reader.bytes(reader.u8());
    if (type === INITIAL_WINDOW && value.length === 4) initialWindow = value.readUInt32BE();
    else if (type === SERVICE.tcp) services.push(...decodeService(value, undefined));
    else if (type === SERVICE.udp) services.push(...decodeService(value, 'udp'));
    else if (type === SERVICE.unix) services.push(...decodeService(value, 'unix'));
    else if (type === MORE) hasMore = true;
  }
  if (!reader.isComplete || kind === undefined || version < 1 || initialWindow < MIN_INITIAL_WINDOW) return undefined;
  return {
    kind,
    version,
    initialWindow,
    ...(services.length === 0 ? {} : { services }),
    ...(hasMore ? { hasMore } : {}),
  };
}

/** Returns nothing for a record that is not a service: its name is printed, and typed by people. */
function decodeService(value: Buffer, protocol: Service['protocol']): Service[] {
  if (value.length < 3) return [];
  const port = value.readUInt16BE();
  const name = serviceOf({ host: value.toString('latin1', 2), port: 0 });
  if (name === undefined || (port === 0) !== (protocol === 'unix')) return [];
  return [protocol === undefined ? { name, port } : { name, port, protocol }];
}

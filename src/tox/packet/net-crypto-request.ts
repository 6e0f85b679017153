/**
 * The request packet of net_crypto (id 1): which lossless packets arrived and which are missing, from the receiver's first
 * missing number up to its last known one (spec: "Packet request packet"; c-toxcore: generate_request_packet).
 *
 *     1 || for each missing packet its distance from the previous one, where the first counts from 1;
 *          a 0 stands for 255 packets that arrived
 *
 * The list covers nothing after the last missing packet, except in steps of 255 packets. Peers of our kind use other request
 * packets (ids 4 and 6), whose last byte states the end of the list: the distance of the number after the last known one. The
 * packet is never larger than what passes on every path.
 *
 *     4 || list || end
 *     6 || whether data of the receiver is under way to the sender, too (0, 1)
 *       || when the last packet arrived, µs of the receiver's clock (4 bytes) || list || end
 */
import { CryptoKind } from './kind.js';
import { SAFE_CRYPTO_DATA_SIZE } from './net-crypto.js';

/** What a request packet of id 6 reports of the packet that arrived last. */
export interface Arrival {
  /** µs of the receiver's clock, modulo 2^32. */
  readonly time: number;
  /** Whether much data of the receiver is under way to the sender, behind which its acks wait. */
  readonly isSending: boolean;
}

/** Packets that one byte can cover. */
export const LONGEST_RUN = 255;

/** Whether the list states its end; or the last arrival, which is stated as well as the end. */
export type RequestForm = typeof CryptoKind.Request | typeof CryptoKind.RequestWithEnd | Arrival;

/** Bytes before the list. */
const HEADER = 1;
const HEADER_WITH_TIME = 6;

const scratch = Buffer.alloc(SAFE_CRYPTO_DATA_SIZE);

/**
 * @param end the number after the last one to cover
 */
export function encodePacketRequest(
  start: number,
  end: number,
  isMissing: (number: number) => boolean,
  form: RequestForm = CryptoKind.Request,
): Buffer {
  let length = HEADER;
  if (typeof form === 'number') scratch[0] = form;
  else {
    scratch[0] = CryptoKind.RequestWithTime;
    scratch[1] = Number(form.isSending);
    scratch.writeUInt32BE(form.time, 2);
    length = HEADER_WITH_TIME;
  }
  let distance = 1;
  for (let number = start; number !== end && length < SAFE_CRYPTO_DATA_SIZE; number = (number + 1) >>> 0) {
    if (isMissing(number)) {
      scratch[length] = distance;
      length += 1;
      distance = 0;
    } else if (distance === LONGEST_RUN) {
      scratch[length] = 0;
      length += 1;
      distance = 0;
    }
    distance += 1;
  }
  if (form !== CryptoKind.Request && length < SAFE_CRYPTO_DATA_SIZE) {
    scratch[length] = distance;
    length += 1;
  }
  return Buffer.from(scratch.subarray(0, length));
}

export const isPacketRequest = (data: Buffer): boolean =>
  data[0] === CryptoKind.Request || data[0] === CryptoKind.RequestWithEnd || data[0] === CryptoKind.RequestWithTime;

/** Returns what a request packet says of the last arrival; undefined if it is of another id, or too short. */
export function decodeArrival(data: Buffer): Arrival | undefined {
  if (data[0] !== CryptoKind.RequestWithTime || data.length < HEADER_WITH_TIME) return undefined;
  return { time: data.readUInt32BE(2), isSending: data[1] === 1 };
}

interface PacketRequestReader {
  onMissing(number: number): void;
  onReceived(number: number): void;
}

/**
 * Calls the reader for each number that the packet covers, in order. No bytes make it report other numbers.
 * @param data with its id, 1, 4 or 6; a list with an end that has the maximum length is truncated, and then its last missing packet
 *   is not reported
 * @param start the first number of the sender's window, at which the list must begin
 * @param end the number after the last one sent
 */
export function readPacketRequest(data: Buffer, start: number, end: number, reader: PacketRequestReader): void {
  const last = data[0] === CryptoKind.Request ? data.length : data.length - 1;
  let at = data[0] === CryptoKind.RequestWithTime ? HEADER_WITH_TIME : HEADER;
  let distance = 1;
  for (let number = start; number !== end && at < data.length; number = (number + 1) >>> 0) {
    if (data[at] === distance) {
      if (at === last) return;
      reader.onMissing(number);
      at += 1;
      distance = 1;
      continue;
    }
    reader.onReceived(number);
    // Any byte other than 0 has matched its distance before.
    if (distance === LONGEST_RUN) at += 1;
    distance = distance === LONGEST_RUN ? 1 : distance + 1;
  }
}

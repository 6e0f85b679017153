/**
 * The request packet of net_crypto (id 1): which lossless packets arrived and which are missing, from the receiver's first
 * missing number up to its last known one (spec: "Packet request packet"; c-toxcore: generate_request_packet).
 *
 *     1 || for each missing packet its distance from the one before it, where the first counts from 1;
 *          a 0 stands for 255 packets that arrived
 *
 * What comes after the last missing packet is not spoken of, up to 254 packets. Peers of our kind have another request packet
 * (id 4), of which the last byte tells where the list ends: the distance of the number after the last known one.
 * The list ends where every path takes it.
 */
import { CryptoKind } from './kind.js';
import { SAFE_CRYPTO_DATA_SIZE } from './net-crypto.js';

type RequestKind = typeof CryptoKind.Request | typeof CryptoKind.RequestWithEnd;

/** Of packets that one byte speaks of. */
export const LONGEST_RUN = 255;

const scratch = Buffer.alloc(SAFE_CRYPTO_DATA_SIZE);

/**
 * @param end the number after the last one to speak of
 * @param kind one with an end, or without
 */
export function encodePacketRequest(
  start: number,
  end: number,
  isMissing: (number: number) => boolean,
  kind: RequestKind = CryptoKind.Request,
): Buffer {
  scratch[0] = kind;
  let length = 1;
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
  if (kind === CryptoKind.RequestWithEnd && length < SAFE_CRYPTO_DATA_SIZE) {
    scratch[length] = distance;
    length += 1;
  }
  return Buffer.from(scratch.subarray(0, length));
}

export interface PacketRequestReader {
  onMissing(number: number): void;
  onReceived(number: number): void;
}

/**
 * Tells the reader about every number that the packet speaks of, in order. No bytes make it speak of others.
 * @param data with its id, 1 or 4; a list with an end that is as long as it can be is cut off, and then its last missing packet
 *   is not spoken of
 * @param start the first number of the sender's window, which is where the list must begin
 * @param end the number after the last that it sent
 */
export function readPacketRequest(data: Buffer, start: number, end: number, reader: PacketRequestReader): void {
  const last = data[0] === CryptoKind.RequestWithEnd ? data.length - 1 : data.length;
  let at = 1;
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
    // Any other byte than 0 has met its distance by now.
    if (distance === LONGEST_RUN) at += 1;
    distance = distance === LONGEST_RUN ? 1 : distance + 1;
  }
}

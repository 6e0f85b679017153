/**
 * The request packet of net_crypto (id 1): which lossless packets arrived and which are missing, from the receiver's first
 * missing number up to its last known one (spec: "Packet request packet"; c-toxcore: generate_request_packet).
 *
 *     1 || for each missing packet its distance from the previous one, where the first counts from 1;
 *          a 0 stands for 255 packets that arrived
 *
 * The list covers nothing after the last missing packet, except in steps of 255 packets. Peers of our kind use another request
 * packet (id 4), whose last byte states the end of the list: the distance of the number after the last known one. The packet
 * is never larger than what passes on every path.
 */
import { CryptoKind } from './kind.js';
import { SAFE_CRYPTO_DATA_SIZE } from './net-crypto.js';

type RequestKind = typeof CryptoKind.Request | typeof CryptoKind.RequestWithEnd;

/** Packets that one byte can cover. */
export const LONGEST_RUN = 255;

const scratch = Buffer.alloc(SAFE_CRYPTO_DATA_SIZE);

/**
 * @param end the number after the last one to cover
 * @param kind whether the list states its end
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

interface PacketRequestReader {
  onMissing(number: number): void;
  onReceived(number: number): void;
}

/**
 * Calls the reader for each number that the packet covers, in order. No bytes make it report other numbers.
 * @param data with its id, 1 or 4; a list with an end that has the maximum length is truncated, and then its last missing packet
 *   is not reported
 * @param start the first number of the sender's window, at which the list must begin
 * @param end the number after the last one sent
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
    // Any byte other than 0 has matched its distance before.
    if (distance === LONGEST_RUN) at += 1;
    distance = distance === LONGEST_RUN ? 1 : distance + 1;
  }
}

/**
 * The packets of friends, first through the onion, then over their connection.
 *
 *     friend request       0x20 || nospam (4) || message (1 … 921)                    onion data
 *                          18 || nospam (4) || message (1 … 921)                      lossless
 *     ALIVE, ONLINE, OFFLINE: the id alone                                            lossless
 *     shared relays        17 || packed nodes, 1 to 3                                 lossless
 *     custom packets       id 160 … 191 || anything, at most 1373 bytes in all        lossless
 *                          id 200 … 254 || anything, at most 1373 bytes in all        lossy
 *                          between two peers of our kind at most 1445 bytes
 *
 * Sources: spec "Friend requests", "Messenger"; c-toxcore friend_requests.c, friend_connection.c, Messenger.c.
 */
import { NOSPAM_SIZE } from '../crypto/tox-id.js';
import { CryptoKind, FriendKind, OnionDataKind } from './kind.js';
import { decodePackedNodes, encodePackedNodes, type NodeInfo } from './node-info.js';

/** Specification ("Friend requests"): bytes that fit into an onion data packet. */
const MAX_FRIEND_REQUEST_MESSAGE = 921;

export interface FriendRequest {
  readonly nospam: Buffer;
  readonly message: Buffer;
}

/** @throws RangeError if the message is empty or longer than 921 bytes */
export function encodeFriendRequest({ nospam, message }: FriendRequest): Buffer {
  if (message.length === 0 || message.length > MAX_FRIEND_REQUEST_MESSAGE) {
    throw new RangeError('a friend request carries 1 to 921 bytes');
  }
  return Buffer.concat([Buffer.from([OnionDataKind.FriendRequest]), nospam, message]);
}

/** Returns the same request for a connection, to a friend that knows us already. @param request onion data */
export const requestForConnection = (request: Buffer): Buffer =>
  Buffer.concat([Buffer.from([FriendKind.FriendRequest]), request.subarray(1)]);

export function decodeFriendRequest(data: Buffer): FriendRequest | undefined {
  if (data[0] !== OnionDataKind.FriendRequest && data[0] !== FriendKind.FriendRequest) return undefined;
  const message = data.subarray(1 + NOSPAM_SIZE);
  if (message.length === 0 || message.length > MAX_FRIEND_REQUEST_MESSAGE) return undefined;
  return { nospam: data.subarray(1, 1 + NOSPAM_SIZE), message };
}

/** c-toxcore MAX_SHARED_RELAYS. */
export const MAX_SHARED_RELAYS = 3;

/** @throws RangeError for no relay, or more than 3 */
export function encodeSharedRelays(relays: readonly NodeInfo[]): Buffer {
  if (relays.length === 0 || relays.length > MAX_SHARED_RELAYS) throw new RangeError('shared relays: 1 to 3');
  const nodes = relays.map(({ publicKey, endpoint }) => ({ transport: 'tcp' as const, publicKey, endpoint }));
  return Buffer.concat([Buffer.from([FriendKind.ShareRelays]), encodePackedNodes(nodes)]);
}

/** Returns the relays before the first unreadable one, without the nodes that are no relays. */
export function decodeSharedRelays(data: Buffer): NodeInfo[] | undefined {
  if (data[0] !== FriendKind.ShareRelays) return undefined;
  const { nodes } = decodePackedNodes(data.subarray(1), MAX_SHARED_RELAYS, 'udp and tcp');
  return nodes
    .filter(({ transport }) => transport === 'tcp')
    .map(({ publicKey, endpoint }) => ({ publicKey, endpoint }));
}

export const ALIVE_PACKET = Buffer.from([FriendKind.Alive]);
export const ONLINE_PACKET = Buffer.from([FriendKind.Online]);

/** Whether the id is from 160 to 191, which belong to the application. */
export function isCustomLossless(data: Buffer): boolean {
  const id = data[0] ?? 0;
  return id >= FriendKind.FirstCustomLossless && id <= FriendKind.LastCustomLossless;
}

/** Whether the id is from 200 to 254, which belong to the application. */
export function isCustomLossy(data: Buffer): boolean {
  const id = data[0] ?? 0;
  return id >= FriendKind.FirstCustomLossy && id <= CryptoKind.LastLossy;
}

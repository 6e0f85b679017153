/**
 * A friend as a `tox_save` keeps it (spec: "Friends"; c-toxcore Messenger.c, struct Saved_Friend), 2216 bytes, integers
 * big endian unlike all else in the file, texts padded with zeros:
 *
 *     status (1) || public key (32) || request message (1024) || 0 || length u16 || name (128) || length u16 ||
 *     status message (1007) || 0 || length u16 || user status (1) || 0 0 0 || nospam (4) || last seen u64
 */
import { ByteReader, ByteWriter, ownedCopy } from '../base/bytes.js';
import { PublicKey } from './crypto/keys.js';
import { NOSPAM_SIZE } from './crypto/tox-id.js';
import { SavedataError } from './savedata-error.js';

export const SAVED_FRIEND_SIZE = 2216;

const REQUEST_FIELD = 1024;
const NAME_FIELD = 128;
const STATUS_MESSAGE_FIELD = 1007;

/** How far the friendship has come: `confirmed` once the friend was online, or was accepted by us. */
export type SavedFriendStatus = 'added' | 'requested' | 'confirmed';

export interface SavedFriend {
  readonly status: SavedFriendStatus;
  readonly publicKey: PublicKey;
  /** What our friend request says, at most 1024 bytes; sent again while not confirmed. */
  readonly requestMessage: Buffer;
  /** The nospam of the friend's Tox ID, for that request; zeros when unknown. */
  readonly nospam: Buffer;
  /** At most 128 bytes. */
  readonly name: Buffer;
  /** At most 1007 bytes. */
  readonly statusMessage: Buffer;
  /** 0 available, 1 away, 2 busy. */
  readonly userStatus: number;
  /** Unix time in seconds, 0 for never. */
  readonly lastSeen: bigint;
}

const STATUS_OF_BYTE: readonly (SavedFriendStatus | undefined)[] = [undefined, 'added', 'requested', 'confirmed'];

/** A friend of whom no more than the key is known. */
export function confirmedFriend(publicKey: PublicKey): SavedFriend {
  const none = Buffer.alloc(0);
  return {
    status: 'confirmed',
    publicKey,
    requestMessage: none,
    nospam: Buffer.alloc(NOSPAM_SIZE),
    name: none,
    statusMessage: none,
    userStatus: 0,
    lastSeen: 0n,
  };
}

export function encodeSavedFriend(friend: SavedFriend): Buffer {
  const writer = new ByteWriter(SAVED_FRIEND_SIZE)
    .u8(STATUS_OF_BYTE.indexOf(friend.status))
    .bytes(friend.publicKey.bytes);
  writeText(writer, friend.requestMessage, REQUEST_FIELD).zeros(1).u16(friend.requestMessage.length);
  writeText(writer, friend.name, NAME_FIELD).u16(friend.name.length);
  writeText(writer, friend.statusMessage, STATUS_MESSAGE_FIELD).zeros(1).u16(friend.statusMessage.length);
  return writer.u8(friend.userStatus).zeros(3).bytes(friend.nospam).u64(friend.lastSeen).finish();
}

/**
 * @param record exactly SAVED_FRIEND_SIZE bytes
 * @returns undefined for an empty place in the list
 * @throws SavedataError when a text claims to be longer than its field
 */
export function decodeSavedFriend(record: Buffer): SavedFriend | undefined {
  const reader = new ByteReader(record);
  // c-toxcore takes all from 3 up as confirmed: 4 is a friend that was online when an old version saved.
  const statusByte = Math.min(3, reader.u8());
  const publicKey = new PublicKey(reader.bytes(32));
  const requestField = reader.bytes(REQUEST_FIELD + 1);
  const requestMessage = readText(requestField, reader.u16(), REQUEST_FIELD);
  const nameField = reader.bytes(NAME_FIELD);
  const name = readText(nameField, reader.u16(), NAME_FIELD);
  const statusField = reader.bytes(STATUS_MESSAGE_FIELD + 1);
  const statusMessage = readText(statusField, reader.u16(), STATUS_MESSAGE_FIELD);
  const userStatus = reader.u8();
  reader.skip(3);
  const nospam = ownedCopy(reader.bytes(NOSPAM_SIZE));
  const lastSeen = reader.u64();
  const status = STATUS_OF_BYTE[statusByte];
  if (status === undefined) return undefined;
  return { status, publicKey, requestMessage, nospam, name, statusMessage, userStatus, lastSeen };
}

function writeText(writer: ByteWriter, text: Buffer, field: number): ByteWriter {
  if (text.length > field) throw new RangeError(`saved friend: ${text.length} bytes in a field of ${field}`);
  return writer.bytes(text).zeros(field - text.length);
}

function readText(field: Buffer, length: number, limit: number): Buffer {
  if (length > limit)
    throw new SavedataError('corrupt', `a friend has a text of ${length} bytes where ${limit} is the most`);
  return ownedCopy(field.subarray(0, length));
}

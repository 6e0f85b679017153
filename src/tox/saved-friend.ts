/**
 * A friend in a `tox_save` (spec: "Friends"; c-toxcore Messenger.c, struct Saved_Friend): 2216 bytes, integers in big endian
 * unlike the rest of the file, texts padded with zeros:
 *
 *     status (1) || public key (32) || request message (1024) || 0 || length u16 || name (128) || length u16 ||
 *     status message (1007) || 0 || length u16 || user status (1) || 0 0 0 || nospam (4) || last seen u64
 */
import { ByteReader, ByteWriter, ownedCopy } from '../base/bytes.js';
import { PublicKey } from './crypto/keys.js';
import { NOSPAM_SIZE } from './crypto/tox-id.js';
import { SavedataError } from './savedata-sections.js';

export const SAVED_FRIEND_SIZE = 2216;

const REQUEST_FIELD = 1024;
const NAME_FIELD = 128;
const STATUS_MESSAGE_FIELD = 1007;

/** The state of the friendship: `confirmed` when the friend was online once, or we have accepted it. */
export type SavedFriendStatus = 'added' | 'requested' | 'confirmed';

export interface SavedFriend {
  readonly status: SavedFriendStatus;
  readonly publicKey: PublicKey;
  /** The message of our friend request, at most 1024 bytes; sent again while not confirmed. */
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
  // c-toxcore takes all values from 3 as confirmed: old versions wrote 4 for a friend that was online.
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

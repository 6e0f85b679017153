/**
 * The state that a Tox peer saves, in the file format of c-toxcore (`tox_save`; spec: "State Format"), which upstream and every Tox
 * client read and write.
 */
import { ByteReader, ByteWriter, ownedCopy } from '../base/bytes.js';
import type { Random } from '../base/random.js';
import { generateKeyPair, SecretKey } from './crypto/key-pair.js';
import { PublicKey } from './crypto/keys.js';
import { NOSPAM_SIZE } from './crypto/tox-id.js';
import {
  decodePackedNodes,
  encodePackedNodes,
  MIN_PACKED_NODE_SIZE,
  type NodeInfo,
  type PackedNode,
} from './packet/node-info.js';
import { decodeSavedFriend, encodeSavedFriend, SAVED_FRIEND_SIZE, type SavedFriend } from './saved-friend.js';
import {
  decodeDhtSections,
  decodeSections,
  encodeDhtSections,
  encodeSections,
  SavedataError,
  type Section,
  SectionType,
} from './savedata-sections.js';

/** Our identity: the Tox ID consists of the public key and the nospam. */
export interface Identity {
  readonly publicKey: PublicKey;
  readonly secretKey: SecretKey;
  /** Four opaque bytes. */
  readonly nospam: Buffer;
}

export interface Savedata {
  readonly identity: Identity;
  readonly friends: readonly SavedFriend[];
  /** Our name, status message and status (0 available, 1 away, 2 busy), preserved for other programs. */
  readonly name: Buffer;
  readonly statusMessage: Buffer;
  readonly userStatus: number;
  /** Nodes known at the last save, with which the next start begins. */
  readonly dhtNodes: readonly NodeInfo[];
  /** TCP relays. */
  readonly relays: readonly NodeInfo[];
  /** Nodes that served as onion hops. */
  readonly pathNodes: readonly NodeInfo[];
  /** Sections of unknown types, such as groups and conferences, unchanged and in their order. */
  readonly unknownSections: readonly Section[];
}

/** nospam (4) || public key (32) || secret key (32) */
const IDENTITY_SIZE = 68;
/** The only section type inside the DHT section. */
const DHT_NODES = 4;

/** Returns the state of a new identity. */
export function newSavedata(random: Random): Savedata {
  return {
    identity: { ...generateKeyPair(random), nospam: random.bytes(NOSPAM_SIZE) },
    friends: [],
    name: Buffer.alloc(0),
    statusMessage: Buffer.alloc(0),
    userStatus: 0,
    dhtNodes: [],
    relays: [],
    pathNodes: [],
    unknownSections: [],
  };
}

/** Returns the bytes of the file. They contain the secret key: the caller wipes them after use. */
export function encodeSavedata(savedata: Savedata): Buffer {
  const identity = encodeIdentity(savedata.identity);
  const dhtNodes = encodePackedNodes(as('udp', savedata.dhtNodes));
  // The order in which c-toxcore writes them.
  const bytes = encodeSections([
    { type: SectionType.Identity, content: identity },
    { type: SectionType.Dht, content: encodeDhtSections([{ type: DHT_NODES, content: dhtNodes }]) },
    { type: SectionType.Friends, content: Buffer.concat(savedata.friends.map(encodeSavedFriend)) },
    { type: SectionType.Name, content: savedata.name },
    { type: SectionType.StatusMessage, content: savedata.statusMessage },
    { type: SectionType.UserStatus, content: Buffer.from([savedata.userStatus]) },
    { type: SectionType.Relays, content: encodePackedNodes(as('tcp', savedata.relays)) },
    { type: SectionType.PathNodes, content: encodePackedNodes(as('udp', savedata.pathNodes)) },
    ...savedata.unknownSections,
  ]);
  identity.fill(0);
  return bytes;
}

/**
 * Reads a whole file, in which only the identity is required. The result shares no memory with `bytes`, which the caller may wipe. An
 * invalid node ends its list, as in c-toxcore, since these lists are only caches. Any other damage is an error, so that a file that
 * could be repaired is not overwritten.
 * @throws SavedataError
 */
export function decodeSavedata(bytes: Buffer): Savedata {
  const all = decodeSections(bytes);
  const sections = (wanted: number): readonly Buffer[] =>
    all.filter(({ type }) => type === wanted).map(({ content }) => content);
  /** c-toxcore lets a later section of the same type replace an earlier one. */
  const last = (type: number): Buffer => ownedCopy(sections(type).at(-1) ?? Buffer.alloc(0));
  return {
    identity: decodeIdentity(sections(SectionType.Identity)),
    friends: sections(SectionType.Friends).flatMap(decodeFriends),
    name: last(SectionType.Name),
    statusMessage: last(SectionType.StatusMessage),
    userStatus: last(SectionType.UserStatus)[0] ?? 0,
    dhtNodes: sections(SectionType.Dht).flatMap(decodeDhtNodes),
    relays: sections(SectionType.Relays).flatMap((content) => decodeNodes(content, 'tcp')),
    pathNodes: sections(SectionType.PathNodes).flatMap((content) => decodeNodes(content, 'udp')),
    unknownSections: all
      .filter(({ type }) => !KNOWN_TYPES.has(type))
      .map(({ type, content }) => ({ type, content: ownedCopy(content) })),
  };
}

const KNOWN_TYPES: ReadonlySet<number> = new Set(Object.values(SectionType));

function encodeIdentity({ nospam, publicKey, secretKey }: Identity): Buffer {
  return new ByteWriter(IDENTITY_SIZE).bytes(nospam).bytes(publicKey.bytes).bytes(secretKey.bytes).finish();
}

function decodeIdentity(contents: readonly Buffer[]): Identity {
  const [content, second] = contents;
  if (content === undefined) throw new SavedataError('corrupt', 'it has no section with the keys');
  if (second !== undefined) throw new SavedataError('corrupt', 'it has two sections with keys');
  if (content.length !== IDENTITY_SIZE) {
    throw new SavedataError(
      'corrupt',
      `its section with the keys has ${content.length} bytes instead of ${IDENTITY_SIZE}`,
    );
  }
  const reader = new ByteReader(content);
  const nospam = ownedCopy(reader.bytes(NOSPAM_SIZE));
  const publicKey = new PublicKey(reader.bytes(32));
  const secretKey = new SecretKey(reader.bytes(32));
  if (!secretKey.publicKey().equals(publicKey)) {
    secretKey.wipe();
    throw new SavedataError('corrupt', 'its secret key and its public key do not belong together');
  }
  return { publicKey, secretKey, nospam };
}

function decodeFriends(content: Buffer): SavedFriend[] {
  if (content.length % SAVED_FRIEND_SIZE !== 0) {
    throw new SavedataError(
      'corrupt',
      `its list of friends has ${content.length} bytes, no multiple of ${SAVED_FRIEND_SIZE}`,
    );
  }
  const friends: SavedFriend[] = [];
  for (let at = 0; at < content.length; at += SAVED_FRIEND_SIZE) {
    const friend = decodeSavedFriend(content.subarray(at, at + SAVED_FRIEND_SIZE));
    if (friend !== undefined) friends.push(friend);
  }
  return friends;
}

function decodeDhtNodes(content: Buffer): NodeInfo[] {
  return decodeDhtSections(content)
    .filter(({ type }) => type === DHT_NODES)
    .flatMap((section) => decodeNodes(section.content, 'udp'));
}

function decodeNodes(content: Buffer, transport: PackedNode['transport']): NodeInfo[] {
  const limit = Math.floor(content.length / MIN_PACKED_NODE_SIZE);
  const { nodes } = decodePackedNodes(content, limit, transport === 'tcp' ? 'udp and tcp' : 'udp');
  return nodes
    .filter((node) => node.transport === transport)
    .map(({ publicKey, endpoint }) => ({ publicKey, endpoint }));
}

function as(transport: PackedNode['transport'], nodes: readonly NodeInfo[]): PackedNode[] {
  return nodes.map(({ publicKey, endpoint }) => ({ transport, publicKey, endpoint }));
}

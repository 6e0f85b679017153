/** The peers that a client has asked a relay for, by key and by slot. */
import type { PublicKey } from '../crypto/keys.js';
import { RELAY_SLOTS } from '../packet/relay.js';

/**
 * The status of a peer at a relay: `asked` until the relay has answered, `refused` when it has no slot for us, `registered`
 * while the peer is not connected or has not asked for us, `online` when packets reach it.
 */
export type PeerStatus = 'unknown' | 'asked' | 'refused' | 'registered' | 'online';

interface Entry {
  readonly publicKey: PublicKey;
  slot: number | undefined;
  status: PeerStatus;
}

export class ClientSlots {
  readonly #byKey = new Map<string, Entry>();
  readonly #bySlot = new Map<number, Entry>();

  /** Adds a peer. @returns true when the relay must be asked: the peer is new, and there is a slot for it */
  ask(publicKey: PublicKey): boolean {
    if (this.#byKey.has(publicKey.hex) || this.#byKey.size >= RELAY_SLOTS) return false;
    this.#byKey.set(publicKey.hex, { publicKey, slot: undefined, status: 'asked' });
    return true;
  }

  /** Returns the peers about which the relay has not answered yet. */
  asked(): PublicKey[] {
    return [...this.#byKey.values()].filter(({ status }) => status === 'asked').map(({ publicKey }) => publicKey);
  }

  /** Removes a peer. @returns the slot to be freed at the relay, if it gave one */
  release(publicKey: PublicKey): number | undefined {
    const entry = this.#byKey.get(publicKey.hex);
    this.#byKey.delete(publicKey.hex);
    if (entry?.slot !== undefined) this.#bySlot.delete(entry.slot);
    return entry?.slot;
  }

  status(publicKey: PublicKey): PeerStatus {
    return this.#byKey.get(publicKey.hex)?.status ?? 'unknown';
  }

  slotOf(publicKey: PublicKey): number | undefined {
    return this.#byKey.get(publicKey.hex)?.slot;
  }

  keyAt(slot: number): PublicKey | undefined {
    return this.#bySlot.get(slot)?.publicKey;
  }

  /** The relay has answered. @returns a slot to be freed, because the peer was released meanwhile */
  onResponse(publicKey: PublicKey, slot: number | undefined): number | undefined {
    const entry = this.#byKey.get(publicKey.hex);
    if (entry === undefined) return slot;
    if (entry.status !== 'asked') return undefined;
    // A relay that gives one slot twice would mix up two peers.
    const isTaken = slot !== undefined && this.#bySlot.has(slot);
    entry.status = slot === undefined || isTaken ? 'refused' : 'registered';
    if (slot === undefined || isTaken) return undefined;
    entry.slot = slot;
    this.#bySlot.set(slot, entry);
    return undefined;
  }

  /** The relay has reported a status. @returns the peer if its status has changed */
  onNotification(slot: number, status: 'registered' | 'online'): PublicKey | undefined {
    const entry = this.#bySlot.get(slot);
    if (entry === undefined || entry.status === status) return undefined;
    entry.status = status;
    return entry.publicKey;
  }
}

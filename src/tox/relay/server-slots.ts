/**
 * The peers that one client of our relay has asked for (spec: "TCP server", connections). Clients that asked for each other are
 * linked.
 */
import type { PublicKey } from '../crypto/keys.js';
import { RelayKind } from '../packet/kind.js';
import { RELAY_SLOTS } from '../packet/relay.js';

export interface ServerSlot<Session> {
  readonly id: number;
  readonly publicKey: PublicKey;
  /** The session of the other client and its slot, while that client is connected and has asked for this one. */
  link: { readonly session: Session; readonly slot: number } | undefined;
}

export class ServerSlots<Session> {
  readonly #byId = new Map<number, ServerSlot<Session>>();
  readonly #byKey = new Map<string, ServerSlot<Session>>();
  #links = 0;

  /** The number of slots with a link. */
  get links(): number {
    return this.#links;
  }

  get all(): readonly ServerSlot<Session>[] {
    return [...this.#byId.values()];
  }

  at(id: number): ServerSlot<Session> | undefined {
    return this.#byId.get(id);
  }

  of(publicKey: PublicKey): ServerSlot<Session> | undefined {
    return this.#byKey.get(publicKey.hex);
  }

  /** Takes the lowest free slot, as c-toxcore does. @returns undefined when all 240 are taken */
  add(publicKey: PublicKey): ServerSlot<Session> | undefined {
    if (this.#byId.size >= RELAY_SLOTS) return undefined;
    let id: number = RelayKind.FirstSlot;
    while (this.#byId.has(id)) id += 1;
    const slot: ServerSlot<Session> = { id, publicKey, link: undefined };
    this.#byId.set(id, slot);
    this.#byKey.set(publicKey.hex, slot);
    return slot;
  }

  remove({ id, publicKey, link }: ServerSlot<Session>): void {
    if (link !== undefined) this.#links -= 1;
    this.#byId.delete(id);
    this.#byKey.delete(publicKey.hex);
  }

  link(slot: ServerSlot<Session>, link: ServerSlot<Session>['link']): void {
    this.#links += Number(link !== undefined) - Number(slot.link !== undefined);
    slot.link = link;
  }
}

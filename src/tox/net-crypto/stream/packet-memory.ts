/**
 * The memory of packets that wait to be sent and acknowledged. It is used again and again: buffers that are made for each packet grow
 * old while they wait, and then the whole heap has to be collected several times a second to free them. All connections share it, so
 * an idle one keeps none.
 */
import { EXTENDED_CRYPTO_DATA_SIZE } from '../../packet/net-crypto.js';

/** Places that are kept without a packet, 0.7 MB: as many as become free at once, with the acks of one tick of the event loop. */
const MOST_FREE = 512;

/** Holds one packet. */
export class PacketPlace {
  readonly #memory = Buffer.allocUnsafeSlow(EXTENDED_CRYPTO_DATA_SIZE);
  #data = this.#memory;

  get data(): Buffer {
    return this.#data;
  }

  /** @param data at most 1445 bytes, copied */
  fill(data: Buffer): void {
    // Most packets have the size of the one before.
    if (this.#data.length !== data.length) this.#data = this.#memory.subarray(0, data.length);
    this.#data.set(data);
  }
}

export class PacketMemory {
  readonly #free: PacketPlace[] = [];

  /** Returns a place with a copy of the data. @param data at most 1445 bytes */
  take(data: Buffer): PacketPlace {
    const place = this.#free.pop() ?? new PacketPlace();
    place.fill(data);
    return place;
  }

  /** The packet is not needed any more. */
  release(place: PacketPlace): void {
    if (this.#free.length < MOST_FREE) this.#free.push(place);
  }
}

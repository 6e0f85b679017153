/**
 * Memory that several users share so that none of them can take it all: each may hold as many bytes as are left to all, so
 * that n greedy ones end with an nth each and the next one still finds room (dynamic thresholds: Choudhury and Hahne, 1998).
 * A floor is everybody's even when nothing is left. So all together hold `total + users * floor` at the most.
 */
export class MemoryBudget {
  readonly #total: number;
  readonly #floor: number;
  #used = 0;

  /** @param options bytes: of all together, and what each may hold in any case */
  constructor(options: { readonly total: number; readonly floor: number }) {
    this.#total = options.total;
    this.#floor = options.floor;
  }

  /** Bytes that all hold together. */
  get used(): number {
    return this.#used;
  }

  /** Bytes that one user may hold at present. */
  get limit(): number {
    return Math.max(this.#floor, this.#total - this.#used);
  }

  share(): MemoryShare {
    return new MemoryShare(this, (bytes) => {
      this.#used += bytes;
    });
  }
}

/** What one user holds of it. */
export class MemoryShare {
  readonly #budget: Pick<MemoryBudget, 'limit'>;
  readonly #note: (bytes: number) => void;
  #used = 0;

  constructor(budget: Pick<MemoryBudget, 'limit'>, note: (bytes: number) => void) {
    this.#budget = budget;
    this.#note = note;
  }

  get used(): number {
    return this.#used;
  }

  hasRoomFor(bytes: number): boolean {
    return this.#used + bytes <= this.#budget.limit;
  }

  /** Counts bytes that are held from now on, or no longer, when negative. */
  add(bytes: number): void {
    this.#used += bytes;
    this.#note(bytes);
  }

  /** Counts bytes if there is room for them; else returns false. */
  take(bytes: number): boolean {
    if (!this.hasRoomFor(bytes)) return false;
    this.add(bytes);
    return true;
  }

  /** Nothing is held any more. */
  giveBack(): void {
    this.add(-this.#used);
  }
}

/**
 * Memory that several users share: each may hold as many bytes as are left for all, so that n greedy users get an equal share and
 * another one still finds room (dynamic thresholds: Choudhury and Hahne, 1998). Each user has a floor even if nothing is left, so all
 * together hold at most `total + users * floor`.
 */
export class MemoryBudget {
  readonly #total: number;
  readonly #floor: number;
  #used = 0;

  /** @param options bytes: of all users, and the floor of each */
  constructor(options: { readonly total: number; readonly floor: number }) {
    this.#total = options.total;
    this.#floor = options.floor;
  }

  /** Bytes that all users hold. */
  get used(): number {
    return this.#used;
  }

  /** Bytes that a user may hold now. */
  get limit(): number {
    return Math.max(this.#floor, this.#total - this.#used);
  }

  share(): MemoryShare {
    return new MemoryShare(this, (bytes) => {
      this.#used += bytes;
    });
  }
}

/** The share of one user. */
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

  /** Counts bytes that are held from now on, or released if negative. */
  add(bytes: number): void {
    this.#used += bytes;
    this.#note(bytes);
  }

  /** Counts bytes if there is room; otherwise returns false. */
  take(bytes: number): boolean {
    if (!this.hasRoomFor(bytes)) return false;
    this.add(bytes);
    return true;
  }

  releaseAll(): void {
    this.add(-this.#used);
  }
}

/**
 * The last word of each side about a tunnel's id, a fin or a reset. On extended terms the id is free once both are said, so that
 * nothing of the old tunnel can arrive in a new one; on upstream's, which forgets an id with its fin, one of them is enough.
 */
type Ours = { readonly kind: 'unsaid' } | { readonly kind: 'due'; readonly frame: Buffer } | { readonly kind: 'said' };

export class LastWords {
  readonly #needsBoth: boolean;
  #ours: Ours = { kind: 'unsaid' };
  #isTheirsSaid = false;

  constructor(options: { readonly needsBoth: boolean }) {
    this.#needsBoth = options.needsBoth;
  }

  /** Whether what we shall say at last is settled, said or not: nothing else of ours follows. */
  get isSettled(): boolean {
    return this.#ours.kind !== 'unsaid';
  }

  get isSaid(): boolean {
    return this.#ours.kind === 'said';
  }

  /** Ours, which waits to be said. */
  get due(): Buffer | undefined {
    return this.#ours.kind === 'due' ? this.#ours.frame : undefined;
  }

  /** Ours is to be this one, unless there is one already. @returns whether it is */
  owe(frame: Buffer): boolean {
    if (this.isSettled) return false;
    this.#ours = { kind: 'due', frame };
    return true;
  }

  noteSaid(): void {
    this.#ours = { kind: 'said' };
  }

  noteTheirs(): void {
    this.#isTheirsSaid = true;
  }

  /** Neither will say any more. */
  silence(): void {
    this.noteSaid();
    this.noteTheirs();
  }

  /** Whether nothing more will be said about the id. */
  get areSaid(): boolean {
    return this.#needsBoth ? this.isSaid && this.#isTheirsSaid : this.isSaid || this.#isTheirsSaid;
  }
}

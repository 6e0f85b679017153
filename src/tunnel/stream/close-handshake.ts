/**
 * The last frame of each side about a tunnel's id, a fin or a reset. On extended terms the id is free once both were sent, so that
 * nothing of the old tunnel can arrive in a new one. Upstream forgets an id with its fin, so there one of them is enough.
 */
type Ours = { readonly kind: 'open' } | { readonly kind: 'queued'; readonly frame: Buffer } | { readonly kind: 'sent' };

export class CloseHandshake {
  readonly #needsBoth: boolean;
  #ours: Ours = { kind: 'open' };
  #isPeerClosed = false;

  constructor(options: { readonly needsBoth: boolean }) {
    this.#needsBoth = options.needsBoth;
  }

  /** Whether our last frame is queued or sent: no other frame of ours follows. */
  get isStarted(): boolean {
    return this.#ours.kind !== 'open';
  }

  /** Our last frame, until it is sent. */
  get pending(): Buffer | undefined {
    return this.#ours.kind === 'queued' ? this.#ours.frame : undefined;
  }

  /** @returns false when our last frame was chosen before */
  queue(frame: Buffer): boolean {
    if (this.isStarted) return false;
    this.#ours = { kind: 'queued', frame };
    return true;
  }

  onSent(): void {
    this.#ours = { kind: 'sent' };
  }

  onPeerClosed(): void {
    this.#isPeerClosed = true;
  }

  /** Neither side sends any more. */
  abandon(): void {
    this.onSent();
    this.onPeerClosed();
  }

  /** Whether no frame about the id is left to be sent or received. */
  get isComplete(): boolean {
    const isSent = this.#ours.kind === 'sent';
    return this.#needsBoth ? isSent && this.#isPeerClosed : isSent || this.#isPeerClosed;
  }
}

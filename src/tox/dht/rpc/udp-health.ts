/**
 * Whether UDP works for us, by what nodes answer: a firewall that swallows datagrams tells nobody. Those of our own network
 * prove nothing about the world, and are asked for their opinion only where there are no others. Pure; times are ms.
 */

/** ms without any answer, and requests in that time, after which UDP counts as dead. */
const SILENCE = 4_000;
const UNANSWERED = 3;

export type UdpHealth =
  /** No answer yet, and no time for one. */
  | { readonly kind: 'untried' }
  | { readonly kind: 'answers'; readonly since: number }
  | { readonly kind: 'silent'; readonly since: number };

export class UdpHealthRecord {
  readonly #world = new Answers();
  readonly #lan = new Answers();

  /** A node was asked. @param isGood whether it has answered lately, so that it should */
  asked(node: { readonly isLan: boolean }, isGood: boolean, now: number): void {
    (node.isLan ? this.#lan : this.#world).asked(isGood, now);
  }

  answered(node: { readonly isLan: boolean }, now: number): void {
    (node.isLan ? this.#lan : this.#world).answered(now);
  }

  at(now: number): UdpHealth {
    return this.#world.wasAsked ? this.#world.health(now) : this.#lan.health(now);
  }
}

class Answers {
  #wasAsked = false;
  #answersSince: number | undefined;
  /** Requests since the last answer, and when the first of them went. */
  #unanswered = 0;
  #firstUnansweredAt = 0;

  get wasAsked(): boolean {
    return this.#wasAsked;
  }

  asked(isGood: boolean, now: number): void {
    this.#wasAsked = true;
    // Of the nodes that one is told of many are dead: once some have answered, those alone count.
    if (!isGood && this.#answersSince !== undefined) return;
    if (this.#unanswered === 0) this.#firstUnansweredAt = now;
    this.#unanswered += 1;
  }

  answered(now: number): void {
    this.#wasAsked = true;
    if (this.health(now).kind !== 'answers') this.#answersSince = now;
    this.#unanswered = 0;
  }

  health(now: number): UdpHealth {
    if (this.#unanswered >= UNANSWERED && now - this.#firstUnansweredAt >= SILENCE) {
      return { kind: 'silent', since: this.#firstUnansweredAt };
    }
    return this.#answersSince === undefined ? { kind: 'untried' } : { kind: 'answers', since: this.#answersSince };
  }
}

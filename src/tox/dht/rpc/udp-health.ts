/**
 * Decides whether UDP works for us by the answers of nodes: a firewall that drops datagrams reports nothing. Nodes of our own
 * network prove nothing about the internet, and count only where there are no others. Pure; times are ms.
 */

/** UDP is silent after so many unanswered requests, the first of them so many ms ago. */
const SILENCE = 4_000;
const UNANSWERED = 3;

export type UdpHealth =
  /** There is no answer yet, and there was no time for one. */
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
  /** Requests since the last answer, and when the first of them was sent. */
  #unanswered = 0;
  #firstUnansweredAt = 0;

  get wasAsked(): boolean {
    return this.#wasAsked;
  }

  asked(isGood: boolean, now: number): void {
    this.#wasAsked = true;
    // Many nodes that others name are dead: once some nodes have answered, only those count.
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

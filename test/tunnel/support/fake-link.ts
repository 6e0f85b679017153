import type { Opener } from '../../../src/tunnel/client/peer-opener.js';
import type { OpenHandlers } from '../../../src/tunnel/link/outgoing-requests.js';
import type { Target } from '../../../src/tunnel/wire/target.js';

/** A link that answers its requests when the test says so. */
export class FakeLink implements Opener {
  terms: Opener['terms'] = 'extended';
  readonly asked: OpenHandlers[] = [];
  cancelled = 0;

  open(_: Target, handlers: OpenHandlers) {
    this.asked.push(handlers);
    return () => {
      this.cancelled += 1;
    };
  }
}

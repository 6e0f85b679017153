/** Shows on one line of the terminal how far a connection is; then it is quiet. */
import type { Clock, Timer } from '../../base/clock.js';
import { type ConnectedEvent, type ConnectionEvent, retryText, type StageEvent } from '../../base/connection-event.js';
import { FloodLog } from '../../base/flood-log.js';
import type { Logger } from '../../base/logger.js';
import type { StatusLine } from '../status-line.js';
import { isSettled, pathText, SETTLING, waitingText } from './event-text.js';

/** ms until the line appears: a connection that exists already is used without a word. */
const FIRST_DRAW = 250;
const TICK = 1_000;

interface Deps {
  readonly clock: Clock;
  readonly line: Pick<StatusLine, 'show' | 'clear'>;
  /** Goes above the line. */
  readonly log: Logger;
}

export interface ProgressOptions {
  /** The server. */
  readonly name: string;
  /** Whether the connection outlasts what it is made for. If not, the line is gone as soon as there is a connection, and stays away. */
  readonly isLasting: boolean;
}

type State =
  | { readonly kind: 'quiet' }
  | { readonly kind: 'waiting'; readonly since: number; stage: StageEvent; code: string | undefined }
  | { readonly kind: 'settling'; readonly since: number };

export class Progress {
  readonly #deps: Deps;
  readonly #options: ProgressOptions;
  readonly #floodLog: FloodLog;
  /** Messages that were shown in full, by their code: they are repeated for as long as it lasts. */
  readonly #said = new Set<string>();
  #state: State = { kind: 'quiet' };
  #timer: Timer | undefined;
  #isOver = false;

  constructor(deps: Deps, options: ProgressOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#floodLog = new FloodLog(deps);
  }

  readonly onEvent = (event: ConnectionEvent): void => {
    if (this.#isOver) return;
    switch (event.event) {
      case 'bootstrapping':
      case 'searching':
      case 'asking':
      case 'punching':
        this.#onStage(event);
        return;
      case 'connected':
        this.#onConnected(event);
        return;
      case 'waiting':
      case 'refused':
        this.#onWaiting(event);
        return;
      case 'retry':
        this.#deps.log.warn(retryText(event));
        return;
      case 'disconnected':
        this.#onDisconnected(event.reason);
        return;
      case 'error':
        this.end();
    }
  };

  /** The line is gone, and stays away. */
  end(): void {
    this.#isOver = true;
    this.#enter({ kind: 'quiet' });
    this.#floodLog.close();
  }

  #onStage(stage: StageEvent): void {
    if (this.#state.kind === 'waiting') {
      this.#state.stage = stage;
      return;
    }
    const { clock } = this.#deps;
    this.#enter({ kind: 'waiting', since: clock.now(), stage, code: undefined });
    this.#timer = clock.after(FIRST_DRAW, () => {
      this.#draw();
      this.#timer = clock.every(TICK, () => this.#draw());
    });
  }

  #draw(): void {
    if (this.#state.kind !== 'waiting') return;
    const { stage, since, code } = this.#state;
    const seconds = Math.round((this.#deps.clock.now() - since) / 1000);
    this.#deps.line.show(waitingText(stage, this.#options.name, { seconds, code }));
  }

  #onWaiting({ event, code, message }: Extract<ConnectionEvent, { event: 'waiting' | 'refused' }>): void {
    if (this.#state.kind === 'waiting') this.#state.code = code;
    // It names what the owner of the server has to know, which is too long for the line.
    if (event !== 'refused' || this.#said.has(code)) return;
    this.#said.add(code);
    this.#deps.log.warn(message);
  }

  #onConnected(event: ConnectedEvent): void {
    if (!this.#options.isLasting) {
      this.end();
      return;
    }
    if (this.#state.kind === 'quiet') return;
    if (isSettled(event)) {
      this.#report(event);
      return;
    }
    const since = this.#state.kind === 'settling' ? this.#state.since : this.#deps.clock.now();
    this.#enter({ kind: 'settling', since });
    this.#deps.line.show(`connected: ${pathText(event)}`);
    this.#timer = this.#deps.clock.after(since + SETTLING - this.#deps.clock.now(), () => this.#report(event));
  }

  #report(event: ConnectedEvent): void {
    this.#enter({ kind: 'quiet' });
    this.#said.clear();
    this.#say('info', 'made', `connected: ${pathText(event)}`);
  }

  #onDisconnected(reason: string | undefined): void {
    const { name } = this.#options;
    this.#enter({ kind: 'quiet' });
    this.#say('warn', 'lost', `lost the connection to ${name}${reason === undefined ? '' : ` (${reason})`}`);
  }

  #say(level: 'info' | 'warn', what: 'made' | 'lost', text: string): void {
    const { name } = this.#options;
    this.#floodLog.say({ source: name, name, kind: `connection ${what}`, level, text });
  }

  #enter(state: State): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#state = state;
    if (state.kind === 'quiet') this.#deps.line.clear();
  }
}

/** Runs `tuntoxctl top`: streams of the daemon in, a screen out, keys to requests. */
import type { Timer } from '../../../base/clock.js';
import { CodedError, messageOf } from '../../../base/coded-error.js';
import { countText } from '../../../base/units.js';
import { ControlError } from '../../../control/control-error.js';
import type { Context } from '../command.js';
import { CtlError, ExitStatus } from '../ctl-error.js';
import type { Key } from '../dialogue.js';
import { type Effect, type Order, TopState } from './top-state.js';

/** ms between lists. */
const INTERVAL = 1_000;
/** ms until the daemon is asked again when it does not answer. */
const RETRY = 2_000;

/** @returns the exit status, once a key or a signal ends it @throws CtlError, ControlError when the daemon cannot be asked at all */
export async function runTop(context: Context, order: Order): Promise<number> {
  // An error before the screen is taken stays readable.
  await context.session.daemon();
  return new Top(context, order).run();
}

class Top {
  readonly #context: Context;
  readonly #state: TopState;
  #tunnels = new AbortController();
  #end: (status: number) => void = () => {};
  #fail: (error: unknown) => void = () => {};
  readonly #pauses = new Set<Timer>();
  #leave: () => void = () => {};
  #hasEnded = false;
  #isSuspended = false;

  constructor(context: Context, order: Order) {
    this.#context = context;
    this.#state = new TopState(order);
  }

  async run(): Promise<number> {
    const { out, dialogue, signal } = this.#context;
    const ended = new Promise<number>((resolve, reject) => {
      this.#end = resolve;
      this.#fail = reject;
    });
    this.#leave = out.enterScreen();
    const releaseKeys = dialogue.onKey(
      (key) => this.#onKey(key),
      () => this.#end(ExitStatus.Ok),
    );
    const releaseResize = out.onResize(() => this.#draw());
    // At once, because the process may end before the promise has told us.
    const onAbort = (): void => {
      this.#leave();
      this.#end(ExitStatus.Interrupted);
    };
    signal.addEventListener('abort', onAbort);
    this.#draw();
    this.#watchClients().catch((error: unknown) => this.#fail(error));
    try {
      return await ended;
    } finally {
      this.#hasEnded = true;
      this.#tunnels.abort();
      // They would keep the process alive.
      for (const timer of this.#pauses) timer.cancel();
      signal.removeEventListener('abort', onAbort);
      releaseResize();
      releaseKeys();
      this.#leave();
    }
  }

  #draw(): void {
    const { out, clock } = this.#context;
    if (this.#hasEnded || this.#isSuspended) return;
    out.drawScreen(this.#state.lines({ columns: out.columns, rows: out.rows }, clock.unixTime()));
  }

  #onKey({ name, isControl }: Key): void {
    const { columns, rows } = this.#context.out;
    const effect = this.#state.onKey(isControl ? `ctrl-${name}` : name, { columns, rows });
    if (effect !== undefined) this.#do(effect);
    this.#draw();
  }

  #do(effect: Effect): void {
    switch (effect.kind) {
      case 'quit':
        this.#end(ExitStatus.Ok);
        return;
      case 'interrupt':
        this.#end(ExitStatus.Interrupted);
        return;
      case 'suspend':
        void this.#suspend();
        return;
      case 'watch-tunnels':
        this.#tunnels.abort();
        this.#tunnels = new AbortController();
        if (effect.publicKey !== undefined) void this.#watchTunnels(effect.publicKey, this.#tunnels.signal);
        return;
      case 'kick':
      case 'close':
        void this.#request(effect);
        return;
    }
  }

  async #suspend(): Promise<void> {
    const { out, dialogue } = this.#context;
    this.#isSuspended = true;
    this.#leave();
    await dialogue.suspend();
    this.#isSuspended = false;
    if (this.#hasEnded) return;
    this.#leave = out.enterScreen();
    this.#draw();
  }

  async #request(effect: Extract<Effect, { kind: 'kick' | 'close' }>): Promise<void> {
    const { session } = this.#context;
    try {
      if (effect.kind === 'kick') {
        const { closed } = await session.call('clients.kick', { client: effect.publicKey });
        const tunnels = closed.length === 0 ? '' : `, and closed ${countText(closed.length, 'tunnel')}`;
        this.#state.say(`disconnected ${effect.name}${tunnels}`);
      } else {
        await session.call('connections.close', { connection: effect.connection });
        this.#state.say(`closed ${effect.connection}`);
      }
    } catch (error) {
      this.#state.say(messageOf(error), 'warning');
    }
    this.#draw();
  }

  /** Asks again when the daemon restarts. @throws CtlError when that cannot help */
  async #watchClients(): Promise<void> {
    const { session, clock, signal } = this.#context;
    while (!this.#hasEnded) {
      try {
        await session.stream(
          'clients.watch',
          { intervalMs: INTERVAL },
          {
            signal,
            onEvent: ({ clients }) => {
              this.#state.setClients(clients, clock.now());
              this.#draw();
            },
          },
        );
        this.#lose('the daemon has ended the list');
      } catch (error) {
        if (this.#hasEnded) return;
        if (!mayPass(error)) throw error;
        this.#lose(messageOf(error));
      }
      session.close();
      await this.#pause();
    }
  }

  #lose(why: string): void {
    if (this.#hasEnded) return;
    this.#state.setTrouble(`trying again: ${why}`);
    this.#draw();
  }

  /** @param signal ends it */
  async #watchTunnels(client: string, signal: AbortSignal): Promise<void> {
    const { session, clock } = this.#context;
    while (!signal.aborted) {
      try {
        await session.stream(
          'connections.watch',
          { client, intervalMs: INTERVAL },
          {
            signal,
            onEvent: ({ connections }) => {
              // A list may be on its way while the view is left.
              if (signal.aborted) return;
              this.#state.setTunnels(connections, clock.now());
              this.#draw();
            },
          },
        );
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof ControlError && error.code === 'not-found') {
          this.#state.leaveTunnels();
          this.#state.say(messageOf(error), 'warning');
          this.#draw();
          return;
        }
      }
      // Otherwise the list of clients says what is wrong, and makes the connection again.
      if (!signal.aborted) await this.#pause();
    }
  }

  /** Does not resolve once `top` has ended. */
  #pause(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#hasEnded) return;
      const timer = this.#context.clock.after(RETRY, () => {
        this.#pauses.delete(timer);
        resolve();
      });
      this.#pauses.add(timer);
    });
  }
}

/** Whether the daemon may only be starting again. */
function mayPass(error: unknown): boolean {
  if (error instanceof CtlError) return !['version', 'permission', 'usage'].includes(error.code);
  return error instanceof CodedError;
}

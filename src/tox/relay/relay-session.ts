/**
 * One client of our relay (spec: "TCP server"; c-toxcore TCP_server.c):
 *
 *     greeting     the client's half of the handshake is awaited
 *     greeted      it has arrived, and waits for the server's turn
 *     unconfirmed  answered; the client must prove with a first packet that it could read the answer
 *     confirmed    served
 */
import type { Clock, Timer } from '../../base/clock.js';
import type { Random } from '../../base/random.js';
import type { KeyPair } from '../crypto/key-pair.js';
import type { PublicKey } from '../crypto/keys.js';
import type { StreamHandlers, StreamSocket } from '../network/stream-socket.js';
import { decodeRelayPacket, encodeRelayPacket, RELAY_GREETING_SIZE, type RelayPacket } from '../packet/relay.js';
import { sourceOf } from './by-source.js';
import { answerHandshake } from './handshake.js';
import { Liveness } from './liveness.js';
import { SecureStream } from './secure-stream.js';
import { ServerSlots } from './server-slots.js';

/** ms within which a client must be confirmed. */
const CONFIRM_TIMEOUT = 10_000;

export interface RelaySessionDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** The relay's DHT key pair. */
  readonly keyPair: KeyPair;
  readonly socket: StreamSocket;
}

export interface RelaySessionHandlers {
  /** The client has sent its half of the handshake; the server calls `answer` when it can afford to. */
  onGreeting(session: RelaySession): void;
  /** The client is confirmed. @returns false to end the session */
  onConfirmed(session: RelaySession): boolean;
  onPacket(session: RelaySession, packet: RelayPacket): void;
  /** So many bytes were written to the client, frames included. */
  onSent(bytes: number): void;
  /** The client's socket takes no more, or takes more again. */
  onFullChange(session: RelaySession, isFull: boolean): void;
  /** The session has ended; called once. */
  onEnded(session: RelaySession): void;
}

type State =
  | { readonly kind: 'greeting'; bytes: Buffer }
  | { readonly kind: 'greeted'; readonly greeting: Buffer }
  | { readonly kind: 'unconfirmed'; readonly stream: SecureStream; readonly publicKey: PublicKey }
  | {
      readonly kind: 'confirmed';
      readonly stream: SecureStream;
      readonly publicKey: PublicKey;
      readonly liveness: Liveness;
    }
  | { readonly kind: 'ended' };

export class RelaySession {
  /** No other session gets this id. */
  readonly id: bigint;
  /** The host of the client, see `sourceOf`. */
  readonly source: string;
  readonly slots = new ServerSlots<RelaySession>();
  readonly #deps: RelaySessionDeps;
  readonly #handlers: RelaySessionHandlers;
  readonly #timeout: Timer;
  #state: State = { kind: 'greeting', bytes: Buffer.alloc(0) };
  #wasFull = false;

  constructor(deps: RelaySessionDeps, id: bigint, handlers: RelaySessionHandlers) {
    this.#deps = deps;
    this.id = id;
    this.source = sourceOf(deps.socket.remote);
    this.#handlers = handlers;
    this.#timeout = deps.clock.after(CONFIRM_TIMEOUT, () => this.end());
  }

  get remote(): StreamSocket['remote'] {
    return this.#deps.socket.remote;
  }

  /** Bytes that the client has not read yet. */
  get waiting(): number {
    return this.#deps.socket.waiting;
  }

  get isConfirmed(): boolean {
    return this.#state.kind === 'confirmed';
  }

  /** The client's DHT key. @throws Error before its greeting */
  get publicKey(): PublicKey {
    if (!('publicKey' in this.#state)) throw new Error('RelaySession: no greeting yet');
    return this.#state.publicKey;
  }

  /** Shakes hands with a client that has sent its half. */
  answer(): void {
    if (this.#state.kind !== 'greeted') return;
    const { random, keyPair, socket } = this.#deps;
    const answer = answerHandshake(random, keyPair, this.#state.greeting);
    if (answer === undefined) {
      this.end();
      return;
    }
    const stream = new SecureStream(
      { write: (frame) => this.#write(frame), onPacket: (plain) => this.#onPlain(plain) },
      answer.session,
    );
    this.#state = { kind: 'unconfirmed', stream, publicKey: answer.clientKey };
    socket.write(answer.reply);
  }

  /** Returns the handlers for the client's socket. */
  streamHandlers(): StreamHandlers {
    return {
      onData: (bytes) => this.#onBytes(bytes),
      onDrain: () => this.#onDrain(),
      onClose: () => this.end(),
    };
  }

  /** Sends a packet that may get lost. */
  send(packet: RelayPacket): void {
    if (this.#state.kind !== 'confirmed') return;
    const { stream } = this.#state;
    stream.send(encodeRelayPacket(packet));
    if (this.isConfirmed) this.#setFull(stream.isFull);
  }

  /** Sends a packet that must arrive. */
  sendControl(packet: RelayPacket): void {
    if (this.#state.kind === 'confirmed' && !this.#state.stream.sendControl(encodeRelayPacket(packet))) this.end();
  }

  end(): void {
    const state = this.#state;
    if (state.kind === 'ended') return;
    this.#timeout.cancel();
    if (state.kind === 'confirmed') state.liveness.stop();
    if ('stream' in state) state.stream.close();
    this.#deps.socket.destroy();
    // The server reads the key in this call.
    this.#handlers.onEnded(this);
    this.#state = { kind: 'ended' };
  }

  #onBytes(bytes: Buffer): void {
    const state = this.#state;
    if (state.kind === 'greeting') this.#onGreeting(state, bytes);
    // No client sends anything before our half of the handshake.
    else if (!('stream' in state) || !state.stream.receive(bytes)) this.end();
  }

  #onGreeting(state: State & { readonly kind: 'greeting' }, bytes: Buffer): void {
    const greeting = Buffer.concat([state.bytes, bytes]);
    if (greeting.length > RELAY_GREETING_SIZE) {
      this.end();
    } else if (greeting.length < RELAY_GREETING_SIZE) {
      state.bytes = greeting;
    } else {
      this.#state = { kind: 'greeted', greeting };
      this.#handlers.onGreeting(this);
    }
  }

  #onPlain(plain: Buffer): void {
    const packet = decodeRelayPacket(plain);
    if (packet === undefined) {
      this.end();
      return;
    }
    if (this.#state.kind === 'unconfirmed' && !this.#confirm(this.#state)) {
      this.end();
      return;
    }
    if (this.#state.kind !== 'confirmed') return;
    if (packet === 'ignored') return;
    if (packet.kind === 'pong') {
      this.#state.liveness.onPong(packet.id);
      return;
    }
    this.#state.liveness.onReceived();
    if (packet.kind === 'ping') this.sendControl({ kind: 'pong', id: packet.id });
    else this.#handlers.onPacket(this, packet);
  }

  #confirm({ stream, publicKey }: State & { readonly kind: 'unconfirmed' }): boolean {
    const { clock, random } = this.#deps;
    this.#timeout.cancel();
    const liveness = new Liveness({
      clock,
      random,
      sendPing: (id) => this.sendControl({ kind: 'ping', id }),
      onSilence: () => this.end(),
    });
    this.#state = { kind: 'confirmed', stream, publicKey, liveness };
    return this.#handlers.onConfirmed(this);
  }

  #write(frame: Buffer): boolean {
    const hasRoom = this.#deps.socket.write(frame);
    this.#handlers.onSent(frame.length);
    return hasRoom;
  }

  #onDrain(): void {
    if (!('stream' in this.#state)) return;
    this.#state.stream.drained();
    this.#setFull(false);
  }

  #setFull(isFull: boolean): void {
    if (isFull === this.#wasFull) return;
    this.#wasFull = isFull;
    this.#handlers.onFullChange(this, isFull);
  }
}

/**
 * A local UDP port: the datagrams of each local program, by its address and port, are one session with the target.
 */
import { HostListener } from '../../base/host-listener.js';
import { type LocalPlace, placeText, withPort } from '../../base/local-place.js';
import { type UdpAddress, UdpListener } from '../datagram/udp-socket.js';
import { explainReason } from '../wire/reasons.js';
import { describeTarget } from '../wire/target.js';
import { describeForward, type Forward, type ForwardTraffic, ListenError, type LocalSpec } from './forward-spec.js';
import type { LocalForwardDeps } from './local-forward.js';
import { listenError } from './place-listener.js';
import { UdpSessions } from './udp-sessions.js';

export class UdpForward implements Forward {
  readonly spec: LocalSpec;
  readonly #deps: LocalForwardDeps;
  readonly #listener: HostListener<UdpListener>;
  /** By the address and port of the program. */
  readonly #sessions: UdpSessions;
  #isFull = false;

  constructor(deps: LocalForwardDeps, options: { readonly spec: LocalSpec }) {
    this.spec = options.spec;
    this.#deps = deps;
    this.#sessions = new UdpSessions({
      ...deps,
      onFull: (isFull) => this.#noteFull(isFull),
      onRefused: (target, reason) => this.#warnRefused(describeTarget(target), explainReason(reason)),
    });
    this.#listener = new HostListener({
      makeServer: () => {
        const listener: UdpListener = new UdpListener((bytes, from) => this.#onDatagram(listener, bytes, from));
        return listener;
      },
      onError: (error) => deps.log.warn(`UDP ${placeText(this.at)}: ${error.message}`),
      lookUp: deps.lookUp,
    });
  }

  get at(): LocalPlace {
    return withPort(this.spec.at, this.port);
  }

  get port(): number {
    const { at } = this.spec;
    return this.#listener.port ?? (at.kind === 'port' ? at.port : 0);
  }

  get pending(): number {
    return this.#sessions.pending;
  }

  get traffic(): ForwardTraffic {
    return this.#sessions.traffic;
  }

  /** Listens on every address of the spec's name. @throws ListenError with what to do about it; then it listens nowhere */
  async listen(): Promise<void> {
    const { at } = this.spec;
    if (at.kind !== 'port') {
      throw new ListenError('not-supported', `${placeText(at)}: datagrams need a port: choose one`);
    }
    try {
      await this.#listener.listen(at.bind, at.port);
    } catch (error) {
      throw listenError(at, error);
    }
    this.#deps.log.info(`listening: ${describeForward({ ...this.spec, at: this.at })}`);
  }

  /** Stops listening, and ends the sessions: without the port no answer would reach a program. */
  close(): void {
    this.#listener.close();
    this.#sessions.end(() => true);
    this.#deps.onClosed?.();
  }

  abort(): void {
    this.close();
  }

  #onDatagram(listener: UdpListener, bytes: Buffer, from: UdpAddress): void {
    this.#sessions.take(`${from.address} ${from.port}`, this.spec.target, bytes, (answer) =>
      listener.send(answer, from),
    );
  }

  #warnRefused(name: string, why: string): void {
    const [source, text] = [describeForward(this.spec), `${name}: ${why}`];
    this.#deps.floodLog.say({ source, name, kind: 'session refused', level: 'warn', text });
  }

  /** Warns once until there is room again, because programs retry. */
  #noteFull(isFull: boolean): void {
    const isNew = isFull && !this.#isFull;
    this.#isFull = isFull;
    if (!isNew) return;
    const why = 'too many connections are open for another UDP session: close some';
    this.#warnRefused(describeTarget(this.spec.target), why);
  }
}

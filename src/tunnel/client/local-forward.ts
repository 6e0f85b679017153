/** A local place, each of whose connections becomes a tunnel. It listens whether the peer is online or not. */
import type { Socket } from 'node:net';
import type { Clock, Timer } from '../../base/clock.js';
import type { FloodLog } from '../../base/flood-log.js';
import type { BindLookup } from '../../base/host-listener.js';
import { type LocalPlace, placeText, withPort } from '../../base/local-place.js';
import type { Logger } from '../../base/logger.js';
import { ProxyUsers } from '../socks/proxy-users.js';
import { PROBE_INTERVAL, probeSocket, resetSocket } from '../stream/local-end.js';
import { endOf } from '../stream/unix-end.js';
import { reverseIdOf } from '../wire/listen.js';
import { explainReason } from '../wire/reasons.js';
import { describeTarget, type Target } from '../wire/target.js';
import {
  type DynamicSpec,
  describeForward,
  type Forward,
  type ForwardTraffic,
  type LocalSpec,
} from './forward-spec.js';
import type { Opener } from './peer-opener.js';
import { PlaceListener } from './place-listener.js';
import { type AskedAssociation, anyTarget, type FoundTarget, oneTarget, type TargetFinder } from './target-finder.js';
import { TrafficSum } from './traffic-sum.js';
import { UdpAssociations } from './udp-associations.js';

export interface LocalForwardDeps {
  readonly clock: Clock;
  readonly opener: Opener;
  readonly log: Logger;
  /** For lines about connections: every user of the machine may make as many as they like. */
  readonly floodLog: FloodLog;
  /** Whether the process may have another connection; asked before each. */
  readonly hasRoom: () => boolean;
  readonly lookUp?: BindLookup;
  /** Called when it does not listen any more. */
  readonly onClosed?: () => void;
}

export class LocalForward implements Forward {
  readonly spec: LocalSpec | DynamicSpec;
  readonly #deps: LocalForwardDeps;
  readonly #whyFull: () => string | undefined;
  readonly #listener: PlaceListener;
  readonly #find: TargetFinder;
  readonly #associations: UdpAssociations;
  /** Connections without a tunnel yet. */
  readonly #pending = new Set<Socket>();
  readonly #sum = new TrafficSum<Socket>(({ bytesRead, bytesWritten }) => ({
    bytesSent: bytesRead,
    bytesReceived: bytesWritten,
  }));
  #probing: Timer | undefined;
  #isFull = false;

  /** @param options.whyFull why there is no room; by default for lack of descriptors */
  constructor(
    deps: LocalForwardDeps,
    options: { readonly spec: LocalSpec | DynamicSpec; readonly whyFull?: () => string | undefined },
  ) {
    this.spec = options.spec;
    this.#whyFull = options.whyFull ?? (() => undefined);
    this.#deps = deps;
    this.#associations = new UdpAssociations({
      ...deps,
      onFull: (isFull) => this.#noteFull(isFull),
      onRefused: (target, reason) => this.#warnRefused(`${describeTarget(target)}: ${explainReason(reason)}`),
    });
    this.#find = finderOf(deps.clock, options.spec);
    this.#listener = new PlaceListener({
      onConnection: (socket) => this.#onConnection(socket),
      onError: (error) => deps.log.warn(`${placeText(this.at)}: ${error.message}`),
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

  /** Connections without a tunnel yet. */
  get pending(): number {
    return this.#pending.size + this.#associations.pending;
  }

  get traffic(): ForwardTraffic {
    const [tcp, udp] = [this.#sum.traffic, this.#associations.traffic];
    return {
      open: tcp.open + udp.open,
      total: tcp.total + udp.total,
      bytesSent: tcp.bytesSent + udp.bytesSent,
      bytesReceived: tcp.bytesReceived + udp.bytesReceived,
    };
  }

  /** @throws ListenError with what to do about it; then it listens nowhere */
  async listen(): Promise<void> {
    await this.#listener.listen(this.spec.at);
    this.#deps.log.info(`listening: ${describeForward({ ...this.spec, at: this.at })}`);
    if (this.spec.kind === 'dynamic' && this.spec.users === undefined) this.#warnOpen();
  }

  /** Stops listening and resets connections without a tunnel. Open tunnels belong to their links and stay. */
  close(): void {
    this.#listener.close();
    this.#associations.close();
    for (const socket of [...this.#pending]) resetSocket(socket);
    this.#probing?.cancel();
    this.#deps.onClosed?.();
  }

  /** Stops listening, and resets the open tunnels too. */
  abort(): void {
    this.close();
    for (const socket of [...this.#sum.open]) resetSocket(socket);
  }

  #onConnection(socket: Socket): void {
    // Without this limit the process would have no descriptor left for anything else, and the kernel would close connections.
    const isFull = !this.#deps.hasRoom();
    this.#noteFull(isFull);
    if (isFull) {
      resetSocket(socket.on('error', ignore));
      return;
    }
    this.#pending.add(socket);
    this.#probing ??= this.#deps.clock.every(PROBE_INTERVAL, () => this.#probe());
    let cancelRequest = (): void => {};
    const onGone = (): void => {
      this.#pending.delete(socket);
      cancelFinding();
      cancelRequest();
    };
    socket.on('error', ignore).once('close', onGone);
    const cancelFinding = this.#find(socket, {
      onFound: (found) => {
        cancelRequest = this.#request(socket, found, onGone);
      },
      onAssociate: (asked) => this.#associate(socket, asked),
      onRefused: (why) => this.#warnRefused(`${placeText(this.at)}: a program was refused: ${why}`),
    });
  }

  /** The connection stays one without a tunnel, and is told by its end that the program is gone. */
  #associate(socket: Socket, asked: AskedAssociation): void {
    if (this.#deps.opener.terms === 'upstream') {
      this.#warnRefused(`${this.#name}: UDP: ${explainReason('no-extension')}`);
      asked.tellRefused('no-extension');
      return;
    }
    socket.setKeepAlive(true, 60_000);
    socket.on('end', () => socket.destroy()).resume();
    this.#associations.begin(socket, asked);
  }

  /** @returns a function that cancels */
  #request(socket: Socket, { target, tellGranted, tellRefused }: FoundTarget, onGone: () => void): () => void {
    return this.#deps.opener.open(target, {
      source: socket,
      onAccepted: () => {
        this.#pending.delete(socket);
        socket.off('close', onGone).off('error', ignore);
        this.#sum.begin(socket);
        socket.once('close', () => this.#sum.end(socket));
        const end = endOf(this.#deps.clock, socket);
        tellGranted();
        return end;
      },
      onRefused: (reason) => {
        this.#warnRefused(`${this.#nameOf(target)}: ${explainReason(reason)}`);
        tellRefused(reason);
      },
    });
  }

  #warnRefused(text: string): void {
    const source = describeForward(this.spec);
    this.#deps.floodLog.say({ source, name: this.#name, kind: 'connection refused', level: 'warn', text });
  }

  get #name(): string {
    return this.spec.kind === 'dynamic' ? placeText(this.at) : this.#nameOf(this.spec.target);
  }

  /** The target of a port that a peer has opened (-R) is known to the peer alone. */
  #nameOf(target: Target): string {
    return reverseIdOf(target) === undefined ? describeTarget(target) : placeText(this.at);
  }

  /** Finds pending connections that were closed: they are not read yet, and would keep their place. */
  #probe(): void {
    for (const socket of this.#pending) probeSocket(socket);
    if (this.#pending.size > 0) return;
    this.#probing?.cancel();
    this.#probing = undefined;
  }

  #warnOpen(): void {
    if (!this.#listener.isOpenToOthers) return;
    this.#deps.log.warn(
      `everybody who reaches port ${this.port} of this machine can use the tunnel: add --socks-auth FILE, or bind it to 127.0.0.1`,
    );
  }

  /** Warns once until there is room again, because programs retry. One connection that comes and goes can cause that, too. */
  #noteFull(isFull: boolean): void {
    const isNew = isFull && !this.#isFull;
    this.#isFull = isFull;
    if (isNew) this.#warnRefused(`${this.#name}: ${this.#whyFull() ?? NO_DESCRIPTOR}`);
  }
}

const NO_DESCRIPTOR =
  'no file descriptor is left for another connection: close some, or raise the limit of open files (ulimit -n)';

const finderOf = (clock: Clock, spec: LocalSpec | DynamicSpec): TargetFinder =>
  spec.kind === 'local'
    ? oneTarget(spec.target)
    : anyTarget({ clock, users: spec.users === undefined ? undefined : new ProxyUsers(spec.users) });

const ignore = (): void => {};

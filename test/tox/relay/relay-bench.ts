/** A relay of ours and clients of it, on simulated streams. */
import { silentLogger } from '../../../src/base/logger.js';
import { sharedKey } from '../../../src/tox/crypto/box.js';
import { generateKeyPair, type KeyPair } from '../../../src/tox/crypto/key-pair.js';
import type { PublicKey } from '../../../src/tox/crypto/keys.js';
import type { NodeInfo } from '../../../src/tox/packet/node-info.js';
import { RelayClient, type RelayClientHandlers } from '../../../src/tox/relay/relay-client.js';
import { RelayServer } from '../../../src/tox/relay/relay-server.js';
import { ManualClock } from '../../support/manual-clock.js';
import { at } from '../../support/nodes.js';
import { SeededRandom } from '../../support/seeded-random.js';
import { SimulatedStreams } from '../../support/simulated-streams.js';

export const RELAY_ADDRESS = '203.0.113.1';
export const RELAY_PORT = 443;

/** A client, and everything that its connection told, as text. */
export interface TestRelayClient {
  readonly client: RelayClient;
  readonly address: string;
  readonly keys: KeyPair;
  readonly events: string[];
  readonly received: Buffer[];
}

export class RelayBench {
  readonly clock = new ManualClock();
  readonly random: SeededRandom;
  readonly streams: SimulatedStreams;
  readonly keys: KeyPair;
  readonly server: RelayServer;
  readonly onion: { readonly data: Buffer; readonly client: bigint }[] = [];
  #hosts = 0;

  constructor(seed: number, options: { readonly descriptors?: number } = {}) {
    this.random = new SeededRandom(seed);
    this.streams = new SimulatedStreams(this.clock, new SeededRandom(seed + 1));
    this.keys = generateKeyPair(this.random);
    this.server = new RelayServer({
      clock: this.clock,
      random: this.random,
      log: silentLogger,
      keyPair: this.keys,
      descriptors: options.descriptors ?? Number.POSITIVE_INFINITY,
      forwardOnion: (data, client) => this.onion.push({ data, client: client.id }),
    });
    this.streams.listen(RELAY_ADDRESS, RELAY_PORT, (socket) => this.server.accept(socket));
  }

  get relay(): NodeInfo {
    return { publicKey: this.keys.publicKey, endpoint: at(RELAY_ADDRESS, RELAY_PORT) };
  }

  nextAddress(): string {
    this.#hosts += 1;
    return `198.51.${100 + (this.#hosts >> 8)}.${this.#hosts & 0xff}`;
  }

  client(
    options: { readonly keys?: KeyPair; readonly relay?: NodeInfo; readonly address?: string } = {},
  ): TestRelayClient {
    const keys = options.keys ?? generateKeyPair(this.random);
    const relay = options.relay ?? this.relay;
    const address = options.address ?? this.nextAddress();
    const events: string[] = [];
    const received: Buffer[] = [];
    const handlers: RelayClientHandlers = {
      onConfirmed: () => events.push('confirmed'),
      onPeerStatus: (peer, status) => events.push(`${peer.short} ${status}`),
      onData: (peer, packet) => {
        events.push(`data from ${peer.short}`);
        received.push(packet);
      },
      onOob: (sender, packet) => {
        events.push(`oob from ${sender.short}`);
        received.push(packet);
      },
      onOnion: (packet) => {
        events.push('onion');
        received.push(packet);
      },
      onDrain: () => events.push('drain'),
      onClosed: (reason) => events.push(`closed: ${reason}`),
    };
    const client = new RelayClient(
      {
        clock: this.clock,
        random: this.random,
        dial: this.streams.dialer(address),
        ownKey: keys.publicKey,
        sharedKey: sharedKey(relay.publicKey, keys.secretKey),
      },
      relay,
      handlers,
    );
    return { client, address, keys, events, received };
  }

  /** Two clients that have asked for each other. */
  pair(): [TestRelayClient, TestRelayClient] {
    const [a, b] = [this.client(), this.client()];
    a.client.ask(b.keys.publicKey);
    b.client.ask(a.keys.publicKey);
    this.clock.runUntil(() => isOnline(a, b.keys.publicKey) && isOnline(b, a.keys.publicKey), 1_000);
    return [a, b];
  }
}

export const isOnline = ({ client }: TestRelayClient, peer: PublicKey): boolean => client.status(peer) === 'online';

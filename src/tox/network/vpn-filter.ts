/**
 * Keeps Tox packets out of the VPNs that tunnels of ours carry (docs/vpn.md), in both directions: a session that went through one would
 * carry itself. What is sent there is lost, as on a path that passes nothing.
 */
import type { Clock } from '../../base/clock.js';
import type { Endpoint } from '../../base/endpoint.js';
import type { DatagramHandler, DatagramSocket } from './datagram-socket.js';
import type { AcceptStream, DialStream } from './stream-socket.js';

export class VpnFilter {
  readonly #clock: Clock;
  readonly #isInside: (endpoint: Endpoint) => boolean;

  /** @param isInside asked for each packet */
  constructor(deps: { readonly clock: Clock }, isInside: (endpoint: Endpoint) => boolean) {
    this.#clock = deps.clock;
    this.#isInside = isInside;
  }

  datagrams(handler: DatagramHandler): DatagramHandler {
    return (packet, source) => {
      if (!this.#isInside(source)) handler(packet, source);
    };
  }

  sends(socket: DatagramSocket): DatagramSocket {
    return {
      get kind() {
        return socket.kind;
      },
      get localPort() {
        return socket.localPort;
      },
      hasIpv6: socket.hasIpv6,
      fragmentsMade: () => socket.fragmentsMade(),
      mtuTowards: (destination) => socket.mtuTowards(destination),
      send: (packet, destination, onRefused) => {
        if (!this.#isInside(destination)) socket.send(packet, destination, onRefused);
      },
      close: () => socket.close(),
    };
  }

  accepts(accept: AcceptStream): AcceptStream {
    return (stream) => (this.#isInside(stream.remote) ? undefined : accept(stream));
  }

  dials(dial: DialStream): DialStream {
    return (to, handlers) => {
      if (!this.#isInside(to)) return dial(to, handlers);
      const closing = this.#clock.soon(() => handlers.onClose('its address is in a VPN that a tunnel of ours carries'));
      return { remote: to, waiting: 0, write: () => true, destroy: () => closing.cancel() };
    };
  }
}

/** Keeps ports open at the router of this machine. */
import type { Clock } from '../../base/clock.js';
import { type Logger, silentLogger } from '../../base/logger.js';
import type { Random } from '../../base/random.js';
import { type Gateway, gatewayReader } from '../network/default-gateway.js';
import { openUdpSocket } from '../network/udp-socket.js';
import { GatewayMapper } from './gateway-mapper.js';
import { PortKeeper } from './port-keeper.js';
import type { LocalPort, OpenSocket, PortMapper } from './port-mapper.js';

export function openPortKeeper(
  deps: { readonly clock: Clock; readonly random: Random; readonly log: Logger },
  ports: readonly LocalPort[],
  onChange: () => void,
): PortKeeper {
  const { clock, random } = deps;
  const mapper = (gateway: Gateway): PortMapper => {
    const { ownAddress: bindAddress } = gateway;
    const openSocket: OpenSocket = (onDatagram) =>
      openUdpSocket({ random, log: silentLogger }, { bindAddress, ports: 0, ipv6: false, onDatagram });
    const loadUpnp = async () => {
      const [{ Upnp }, { httpRequester }] = await Promise.all([
        import('./upnp.js'),
        import('../network/http-request.js'),
      ]);
      return new Upnp({ clock, random, openSocket, request: httpRequester(clock, bindAddress) }, gateway);
    };
    return new GatewayMapper({ clock, random, openSocket, loadUpnp }, gateway);
  };
  const keeper = new PortKeeper({ ...deps, gateway: gatewayReader(), mapper }, ports, onChange);
  keeper.start();
  return keeper;
}

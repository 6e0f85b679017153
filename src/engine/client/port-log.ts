/** What the log tells of the port of -R. */
import { placeText } from '../../base/local-place.js';
import type { Logger } from '../../base/logger.js';
import type { ForwardSpec, RemotePortState } from '../../tunnel/client/forward-spec.js';
import { describeTarget } from '../../tunnel/wire/target.js';

/** A forward of -R, with the port that the server has chosen. */
interface Port {
  readonly spec: ForwardSpec;
  readonly at: ForwardSpec['at'];
}

/** @returns a function that logs the next state: a refusal once, and not with every attempt */
export function portLog(port: Port, log: Logger): (state: RemotePortState) => void {
  let logged: string | undefined;
  return (state) => {
    if (state.kind === 'refused') {
      if (state.message !== logged) log.warn(state.message);
      logged = state.message;
      return;
    }
    logged = undefined;
    if (state.kind === 'listening' && port.spec.kind === 'reverse')
      log.info(`the server listens on ${placeText(port.at)} for ${describeTarget(port.spec.target)} here`);
  };
}

/** What the log tells of the port of -R. */
import { Endpoint } from '../../base/endpoint.js';
import { placeText } from '../../base/local-place.js';
import type { Logger } from '../../base/logger.js';
import type { ForwardSpec, RemotePortState, ReverseSpec } from '../../tunnel/client/forward-spec.js';
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
    if (state.kind === 'listening' && port.spec.kind === 'reverse') noteListening(port.at, port.spec, log);
  };
}

function noteListening(at: ForwardSpec['at'], { target, users }: ReverseSpec, log: Logger): void {
  const reached = target === undefined ? 'any target from' : describeTarget(target);
  log.info(`the server listens on ${placeText(at)} for ${reached} here`);
  if (target !== undefined || users !== undefined || at.kind !== 'port') return;
  const who = isLoopback(at.bind) ? 'every program of the server' : 'everybody who reaches that port';
  log.warn(`${who} can reach what this machine reaches: with --socks-auth FILE only those in it`);
}

const isLoopback = (bind: string | undefined): boolean =>
  bind !== undefined && (bind === 'localhost' || Endpoint.of(bind, 0)?.isLoopback === true);

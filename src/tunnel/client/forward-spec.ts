/** A local port that leads to a target as the peer sees it. */
import { describeTarget, type Target } from '../wire/target.js';

export interface ForwardSpec {
  /** An address or a name of this machine; undefined means all of them. */
  readonly bind: string | undefined;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly target: Target;
}

export function describeForward({ bind, port, target }: ForwardSpec): string {
  return `${describeTarget({ host: bind ?? '*', port })} -> ${describeTarget(target)}`;
}

/** Opens a forward that listens on this machine. */
import type { DynamicSpec, Forward, LocalSpec } from './forward-spec.js';
import { LocalForward, type LocalForwardDeps } from './local-forward.js';
import { UdpForward } from './udp-forward.js';

/** @throws ListenError; then it listens nowhere */
export async function openForward(deps: LocalForwardDeps, spec: LocalSpec | DynamicSpec): Promise<Forward> {
  const isUdp = spec.kind === 'local' && spec.target.protocol === 'udp';
  const forward = isUdp ? new UdpForward(deps, { spec }) : new LocalForward(deps, { spec });
  await forward.listen();
  return forward;
}

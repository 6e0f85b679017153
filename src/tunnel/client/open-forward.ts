/** Opens a forward of any kind. */
import type { Forward, ForwardSpec } from './forward-spec.js';
import { notSupported } from './forward-spec.js';
import { LocalForward, type LocalForwardDeps } from './local-forward.js';
import { UdpForward } from './udp-forward.js';

/** @throws ListenError; then it listens nowhere */
export async function openForward(deps: LocalForwardDeps, spec: ForwardSpec): Promise<Forward> {
  switch (spec.kind) {
    case 'local':
    case 'dynamic': {
      const isUdp = spec.kind === 'local' && spec.target.protocol === 'udp';
      const forward = isUdp ? new UdpForward(deps, { spec }) : new LocalForward(deps, { spec });
      await forward.listen();
      return forward;
    }
    case 'reverse':
      throw notSupported('-R (reverse forwarding)');
  }
}

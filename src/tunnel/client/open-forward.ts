/** Opens a forward of any kind. */
import type { Forward, ForwardSpec } from './forward-spec.js';
import { notSupported } from './forward-spec.js';
import { LocalForward, type LocalForwardDeps } from './local-forward.js';

/** @throws ListenError; then it listens nowhere */
export async function openForward(deps: LocalForwardDeps, spec: ForwardSpec): Promise<Forward> {
  switch (spec.kind) {
    case 'local':
    case 'dynamic': {
      if (spec.kind === 'local' && spec.target.protocol === 'udp') throw notSupported('UDP forwarding (-L udp:…)');
      const forward = new LocalForward(deps, { spec });
      await forward.listen();
      return forward;
    }
    case 'reverse':
      throw notSupported('-R (reverse forwarding)');
  }
}

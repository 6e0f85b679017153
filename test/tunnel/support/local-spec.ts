import type { LocalSpec } from '../../../src/tunnel/client/forward-spec.js';
import type { Target } from '../../../src/tunnel/wire/target.js';

/** A forward at a port of the loopback address, by default one that the system chooses. */
export const localSpec = (target: Target, port = 0, bind: string | undefined = '127.0.0.1'): LocalSpec => ({
  kind: 'local',
  at: { kind: 'port', bind, port },
  target,
});

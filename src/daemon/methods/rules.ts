/** `rules`: which targets clients may reach, and why. */
import { FormatError } from '../../config/format-error.js';
import { parseTargetOrService, type TargetText } from '../../config/formats.js';
import { ControlError } from '../../control/control-error.js';
import type { MethodHandlers } from '../../control/protocol.js';
import { clientName, findAnyClient } from './client-names.js';
import type { MethodContext } from './context.js';

type Deps = Pick<MethodContext, 'access' | 'admission' | 'targets'>;

export function ruleMethods(deps: Deps): Pick<MethodHandlers, 'rules.list' | 'rules.check'> {
  const { targets } = deps;
  return {
    'rules.list': () => ({
      schema: 'tuntox.rules/1',
      file: targets.file ?? null,
      rules: targets.rules,
    }),
    'rules.check': async ({ client, target: text }) => {
      const key = findAnyClient(deps, client);
      const target = targetOf(text);
      const { isAllowed, decidedBy } = await targets.explainByAddress(key.hex, target);
      return {
        schema: 'tuntox.rule-verdict/1',
        client: clientName(deps, key),
        target,
        allowed: isAllowed,
        decidedBy,
      };
    },
  };
}

/** @throws ControlError */
function targetOf(text: string): TargetText {
  try {
    return parseTargetOrService(text);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new ControlError('bad-params', error.message, { cause: error });
  }
}

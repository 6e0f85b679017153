/** Orders that the daemon does only when somebody has agreed to what they mean. */
import { ControlError } from '../../control/control-error.js';
import type { Context } from './command.js';
import { CtlError } from './ctl-error.js';

export const YES = { name: '--yes', short: 'y', about: 'go on without asking' } as const;

/** @throws CtlError, ControlError: also when nobody is there to ask */
export async function withConfirmation<T>(context: Context, order: (isConfirmed: boolean) => Promise<T>): Promise<T> {
  const { given, dialogue, isJson } = context;
  try {
    return await order(given.has(YES.name));
  } catch (error) {
    if (!(error instanceof ControlError) || error.code !== 'needs-confirmation') throw error;
    const hint = `--yes does it anyway${error.hint === undefined ? '' : `; ${error.hint}`}`;
    if (!dialogue.isPossible || isJson) throw new CtlError('failed', error.message, { hint, cause: error });
    context.note(error.message);
    if (error.hint !== undefined) context.note(error.hint);
    if (!(await dialogue.confirm('Go on?'))) throw new CtlError('failed', 'nothing has changed', { cause: error });
    return order(true);
  }
}

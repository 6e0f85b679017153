import { getSystemErrorName } from 'node:util';

/** The one error base class: each layer makes its own with a union of literal codes; codes pick exit statuses. */
export class CodedError<Code extends string> extends Error {
  readonly code: Code;

  constructor(code: Code, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** The text of whatever was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/**
 * The `code` that Node puts on system errors, such as EADDRINUSE. Calls of node:os name it in numbers, and not always with the
 * sign that Node itself expects.
 */
export function systemCodeOf(thrown: unknown): string | undefined {
  const { code, info } = (thrown ?? {}) as { readonly code?: unknown; readonly info?: { readonly errno?: unknown } };
  if (code === 'ERR_SYSTEM_ERROR' && typeof info?.errno === 'number') return getSystemErrorName(-Math.abs(info.errno));
  return typeof code === 'string' ? code : undefined;
}

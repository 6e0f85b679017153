import { getSystemErrorName } from 'node:util';

/** The base class of all errors: each layer has its own class with a union of codes, which choose exit statuses. */
export class CodedError<Code extends string> extends Error {
  readonly code: Code;

  constructor(code: Code, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** Returns the message of a thrown value. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/**
 * Returns the `code` of a system error, such as EADDRINUSE. Functions of node:os report a number, not always with the sign that Node
 * expects.
 */
export function systemCodeOf(thrown: unknown): string | undefined {
  const { code, info } = (thrown ?? {}) as { readonly code?: unknown; readonly info?: { readonly errno?: unknown } };
  if (code === 'ERR_SYSTEM_ERROR' && typeof info?.errno === 'number') return getSystemErrorName(-Math.abs(info.errno));
  return typeof code === 'string' ? code : undefined;
}

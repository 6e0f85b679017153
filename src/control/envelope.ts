/**
 * The messages on the control socket: JSON-RPC 2.0, one object per line.
 *
 *     request    {"jsonrpc":"2.0","id":7,"method":"whitelist.remove","params":{…}}
 *     result     {"jsonrpc":"2.0","id":7,"result":{…}}
 *     error      {"jsonrpc":"2.0","id":7,"error":{"code":-32000,"message":"…","data":{"code":"not-found","hint":"…"}}}
 *     event      {"jsonrpc":"2.0","method":"event","params":{"id":7,"event":{…}}}      of a stream, before its result
 *     cancel     {"jsonrpc":"2.0","method":"cancel","params":{"id":7}}                 ends a stream; its result follows
 *
 * The first request of a connection is `hello`, which agrees on the version.
 */
import * as v from 'valibot';
import type { ControlErrorCode } from './control-error.js';

/** Bytes of a line from a client: enough for a whitelist of 1000 entries. */
export const MAX_REQUEST_SIZE = 512 * 1024;
/** Bytes of a line from the daemon: enough for a list of all 8192 tunnels. */
export const MAX_REPLY_SIZE = 16 * 1024 * 1024;

const jsonrpc = v.literal('2.0');
const Id = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(2 ** 31));

export const Request = v.strictObject({
  jsonrpc,
  id: Id,
  method: v.pipe(v.string(), v.maxLength(64)),
  params: v.optional(v.unknown(), {}),
});
export const Cancel = v.strictObject({ jsonrpc, method: v.literal('cancel'), params: v.strictObject({ id: Id }) });

export const HelloParams = v.strictObject({
  /** All versions that the client speaks. */
  versions: v.pipe(v.array(v.pipe(v.number(), v.integer())), v.minLength(1), v.maxLength(32)),
  /** Name and version of the program, for the log. */
  client: v.pipe(v.string(), v.maxLength(64)),
});
export const HelloResult = v.object({ version: v.number(), daemon: v.string(), pid: v.number() });

export const Reply = v.union([
  v.object({ jsonrpc, id: Id, result: v.unknown() }),
  v.object({
    jsonrpc,
    id: v.nullable(Id),
    error: v.object({
      code: v.number(),
      message: v.string(),
      data: v.optional(v.object({ code: v.string(), hint: v.optional(v.string()) })),
    }),
  }),
  v.object({ jsonrpc, method: v.literal('event'), params: v.object({ id: Id, event: v.unknown() }) }),
]);

/** Codes of JSON-RPC. All other errors share one number; `data.code` tells them apart. */
const JSON_RPC_CODES: Partial<Record<ControlErrorCode, number>> = { 'unknown-method': -32601, 'bad-params': -32602 };
const OUR_ERRORS = -32000;

export const encodeRequest = (id: number, method: string, params: unknown): string =>
  encode({ jsonrpc: '2.0', id, method, params });
export const encodeCancel = (id: number): string => encode({ jsonrpc: '2.0', method: 'cancel', params: { id } });
export const encodeResult = (id: number, result: unknown): string => encode({ jsonrpc: '2.0', id, result });
export const encodeEvent = (id: number, event: unknown): string =>
  encode({ jsonrpc: '2.0', method: 'event', params: { id, event } });

export function encodeError(
  id: number | null,
  code: ControlErrorCode,
  message: string,
  hint: string | undefined,
): string {
  const data = { code, ...(hint === undefined ? {} : { hint }) };
  return encode({ jsonrpc: '2.0', id, error: { code: JSON_RPC_CODES[code] ?? OUR_ERRORS, message, data } });
}

const encode = (message: object): string => `${JSON.stringify(message)}\n`;

/** Returns undefined when the line is not JSON. */
export function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** Describes the first mistake in a value, in one line that names the field. */
export function describeIssues(issues: readonly v.BaseIssue<unknown>[]): string {
  const [issue] = issues;
  if (issue === undefined) return 'it has the wrong form';
  const path = v.getDotPath(issue);
  // Valibot expects `never` for an unknown key, and receives `undefined` for a missing one.
  if (issue.type === 'strict_object' && issue.expected === 'never') return `there is no field "${path}"`;
  if (issue.type === 'strict_object' && issue.received === 'undefined') return `the field "${path}" is missing`;
  const message = isDefault(issue) ? (plain(issue) ?? issue.message) : issue.message;
  return path === null ? message : `${path}: ${message}`;
}

/** Whether the text is Valibot's, and not that of a schema of ours. */
const isDefault = ({ message }: v.BaseIssue<unknown>): boolean => message.startsWith('Invalid ');

/** Returns a limit in the words of a person. */
function plain({ type, received, requirement }: v.BaseIssue<unknown>): string | undefined {
  switch (type) {
    case 'max_length':
      return `it is too long: ${received} of at most ${requirement}`;
    case 'min_length':
      return `it is too short: ${received} of at least ${requirement}`;
    case 'max_value':
      return `${received} is too much: at most ${requirement}`;
    case 'min_value':
      return `${received} is too little: at least ${requirement}`;
    default:
      return undefined;
  }
}

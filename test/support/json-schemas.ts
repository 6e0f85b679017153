/** The JSON Schemas of docs/schema, generated from the one map of methods; `make schemas` writes them. */
import { toJsonSchema } from '@valibot/to-json-schema';
import type * as v from 'valibot';
import { WhitelistExport } from '../../src/control/messages/access.js';
import { ClientEvent } from '../../src/control/messages/events.js';
import { Failure, VersionReport } from '../../src/control/messages/upkeep.js';
import { METHODS, type MethodSchema } from '../../src/control/protocol.js';

/** What the commands print besides results of methods. */
const DOCUMENTS: readonly v.GenericSchema[] = [WhitelistExport, VersionReport, Failure, ClientEvent];

/** `tuntox.status/1`: what the literal of the field `schema` says; undefined for a result without one. */
export function schemaName(schema: v.GenericSchema): string | undefined {
  const { entries, options } = schema as {
    readonly entries?: Readonly<Record<string, { readonly literal?: string }>>;
    readonly options?: readonly v.GenericSchema[];
  };
  // The variants of a schema have one name.
  return entries?.schema?.literal ?? (options?.[0] === undefined ? undefined : schemaName(options[0]));
}

/** `tuntox.status/1` is described in `status-1.json`. */
export const fileOfSchema = (name: string): string => `${name.replace('tuntox.', '').replace('/', '-')}.json`;

/** From each file below docs/schema to its text. */
export function jsonSchemas(): Map<string, string> {
  const files = new Map<string, string>();
  const results = Object.values(METHODS).flatMap(({ result, event }: MethodSchema) => [
    result,
    ...(event ? [event] : []),
  ]);
  for (const schema of [...results, ...DOCUMENTS]) {
    const name = schemaName(schema);
    // The end of a stream says nothing.
    if (name !== undefined) files.set(fileOfSchema(name), textOf(schema, name, 'output'));
  }
  for (const [method, { params }] of Object.entries(METHODS)) {
    files.set(`params/${method}.json`, textOf(params, `parameters of ${method}`, 'input'));
  }
  return files;
}

function textOf(schema: v.GenericSchema, title: string, typeMode: 'input' | 'output'): string {
  const { $schema, ...body } = toJsonSchema(schema, {
    typeMode,
    overrideAction: ({ valibotAction, jsonSchema }) =>
      // JSON Schema reads every pattern as Unicode; the flag is said by nothing.
      valibotAction.type === 'regex'
        ? { ...jsonSchema, pattern: (valibotAction as unknown as { requirement: RegExp }).requirement.source }
        : undefined,
  });
  return `${JSON.stringify({ $schema, title, ...body }, undefined, 2)}\n`;
}

/** docs/schema and docs/control-protocol.md say what the map of methods says. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { METHODS, type MethodSchema } from '../../src/control/protocol.js';
import { fileOfSchema, jsonSchemas, schemaName } from '../support/json-schemas.js';
import { ROOT } from '../support/processes.js';

t.test('the JSON Schemas in docs/schema are those of this version', async (t) => {
  const directory = join(ROOT, 'docs/schema');
  const there = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.json'));
  const generated = jsonSchemas();
  t.same(there.sort(), [...generated.keys()].sort(), 'the files: make schemas writes them');
  for (const [file, text] of generated) {
    t.equal(readFileSync(join(directory, file), 'utf8'), text, `${file}: make schemas writes it`);
  }
});

/** Numbers without a unit: how many, a port, a line, a status of a process. */
const PLAIN =
  /^(pid|port|count|left|localPort|udpPort|relayPort|relayClients|line|lines|protocol|exitStatus|known|answering|entries|expired|clients|tunnels|maxTunnels|closedTunnels|tunnelsOpened|banned|pending|requests|uses|invitations|last24Hours)$/;

t.test('a boolean has no "is" in its name, and a time is text as in RFC 3339', async (t) => {
  for (const [file, text] of jsonSchemas()) {
    t.notMatch(text, /"is[A-Z]/, file);
    t.notMatch(text, /"(?:since|until|at|[a-z]+At|[a-zA-Z]+Until)": \{\s*"type": "(?:number|integer)"/, file);
  }
});

t.test('a duration has its unit in its name, and every size and rate in its description', async (t) => {
  let described = 0;
  const look = (name: string, node: unknown, where: string): void => {
    if (typeof node !== 'object' || node === null) return;
    const { type, description } = node as { readonly type?: unknown; readonly description?: string };
    if (type === 'number' || type === 'integer') {
      if (description === undefined) t.match(name, PLAIN, `${where}: ${name}`);
      else t.match(description, /milliseconds/.test(description) ? /./ : /bytes/, `${where}: ${name}`);
      if (description?.includes('milliseconds')) t.match(name, /Ms$/, `${where}: ${name}`);
      described += description === undefined ? 0 : 1;
    }
    for (const [key, inner] of Object.entries(node)) {
      // A schema inside of one that has no name of its own is of the property around it.
      const isProperty = !['properties', 'anyOf', 'items', 'additionalProperties'].includes(key) && !/^\d+$/.test(key);
      look(isProperty ? key : name, inner, where);
    }
  };
  for (const [file, text] of jsonSchemas()) look('', JSON.parse(text), file);
  t.ok(described > 30, `${described}`);
});

t.test('every result that is printed for programs has its version in it', async (t) => {
  for (const [method, { result, event }] of Object.entries(METHODS) as [string, MethodSchema][]) {
    t.match(schemaName(event ?? result), /^tuntox\.[a-z-]+\/\d+$/, method);
  }
});

t.test('docs/control-protocol.md has a row for each method, with links to its schemas', async (t) => {
  const document = readFileSync(join(ROOT, 'docs/control-protocol.md'), 'utf8');
  const rows = document.split('\n').filter((line) => line.includes('(schema/params/'));
  t.equal(rows.length, Object.keys(METHODS).length, 'no row of a method that is gone');
  for (const [method, { result, event, isWrite }] of Object.entries(METHODS) as [string, MethodSchema][]) {
    const row = rows.find((line) => line.startsWith(`| \`${method}\` |`)) ?? '';
    t.match(row, `(schema/params/${method}.json)`, method);
    t.match(row, `(schema/${fileOfSchema(schemaName(event ?? result) as string)})`, method);
    t.equal(row.includes('| write |'), isWrite, `${method} is a ${isWrite ? 'write' : 'read'}`);
    t.equal(row.includes('stream'), event !== undefined, `${method}: stream or not`);
  }
});

/** What tuntoxctl prints for programs is what docs/schema says. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import t from 'tap';
import { fileOfSchema } from '../../support/json-schemas.js';
import { ROOT } from '../../support/processes.js';
import { startDaemon } from './support/daemon.js';
import { inputOf, LINES } from './support/lines.js';
import { run } from './support/run.js';

const ajv = new Ajv({ strict: false });

/** Says how a value differs from the schema that it names; undefined when it does not. */
function mismatch(value: unknown): string | undefined {
  const { schema } = value as { readonly schema?: unknown };
  if (typeof schema !== 'string') return 'it names no schema';
  const text = readFileSync(join(ROOT, 'docs/schema', fileOfSchema(schema)), 'utf8');
  const validate = ajv.compile(JSON.parse(text) as object);
  return validate(value) ? undefined : ajv.errorsText(validate.errors);
}

t.test('every command with --json prints what its schema describes, and nothing else', async (t) => {
  const socket = await startDaemon(t);
  for (const words of LINES) {
    const { status, stdout, stderr } = await run([...words, '--json'], { socket, input: inputOf(words) });
    t.equal(status, 0, `${words.join(' ')}: ${stderr}`);
    const isExport = words[1] === 'export';
    const texts = isExport ? [stdout] : stdout.trimEnd().split('\n');
    for (const text of texts) t.equal(mismatch(JSON.parse(text)), undefined, words.join(' '));
    t.equal(stderr, '');
  }
});

t.test('a terminal gets the same value without control characters', async (t) => {
  const socket = await startDaemon(t);
  for (const words of [['whitelist', 'list'], ['log', 'tail'], ['status']]) {
    const { stdout } = await run([...words, '--json'], { socket, terminal: 80 });
    t.notMatch(stdout, /[^\P{Cc}\n]|\u202e/u);
    const plain = await run([...words, '--json'], { socket });
    if (words[0] === 'whitelist') t.same(JSON.parse(stdout).entries[2].note, JSON.parse(plain.stdout).entries[2].note);
  }
});

t.test('with --json an error is JSON on standard error', async (t) => {
  const socket = await startDaemon(t);
  for (const words of [['whitelist', 'ad'], ['ping'], ['--socket', '/nowhere/s', 'status']]) {
    const { status, stdout, stderr } = await run([...words, '--json'], { socket });
    t.equal(stdout, '');
    const failure = JSON.parse(stderr) as { readonly exitStatus: number };
    t.equal(mismatch(failure), undefined);
    t.equal(failure.exitStatus, status);
  }
});

t.test('the schemas refuse wrong values', async (t) => {
  t.match(mismatch({ schema: 'tuntox.ping/1', client: { publicKey: 'x', name: null }, roundTripMs: 1 }), /pattern/);
  t.match(mismatch({ schema: 'tuntox.id/1' }), /required/);
});

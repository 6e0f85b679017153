/** `make schemas`: writes docs/schema. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { jsonSchemas } from './json-schemas.js';
import { ROOT } from './processes.js';

const directory = join(ROOT, 'docs/schema');
rmSync(directory, { recursive: true, force: true });
for (const [file, text] of jsonSchemas()) {
  mkdirSync(dirname(join(directory, file)), { recursive: true });
  writeFileSync(join(directory, file), text);
}

/** `make manual`: writes the files that are made from the tables of commands and options. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generatedFiles } from './generated-files.js';
import { ROOT } from './processes.js';

for (const [path, content] of generatedFiles()) writeFileSync(join(ROOT, path), content);

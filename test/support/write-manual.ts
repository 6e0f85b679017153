/** `make manual`: writes man/tuntoxctl.1 anew. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { COMMANDS } from '../../src/cli/ctl/commands.js';
import { controlManual } from './control-manual.js';
import { ROOT } from './processes.js';

writeFileSync(join(ROOT, 'man/tuntoxctl.1'), controlManual(COMMANDS));

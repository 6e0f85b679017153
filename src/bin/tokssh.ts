#!/usr/bin/env -S node --v8-pool-size=1
import { tokssh } from '../cli/tuntox/tokssh.js';
import { exitWith } from '../platform/process/exit.js';
import { disableDebugger } from '../platform/process/signals.js';
import { exitOnUncaughtError } from '../platform/process/uncaught-errors.js';
import { nameSourcesInStacks } from '../platform/runtime/source-places.js';

disableDebugger(process);
nameSourcesInStacks();
exitOnUncaughtError(process, 'tokssh');
// This file is CommonJS in the bundle, which has no `await` here. If nothing is left to wait for, that is a failure.
process.exitCode = 1;
void tokssh(process).then((status) => exitWith(process, status));

#!/usr/bin/env node
import { exitWith } from '../platform/process/exit.js';
import { disableDebugger } from '../platform/process/signals.js';
import { exitOnUncaughtError } from '../platform/process/uncaught-errors.js';
import { nameSourcesInStacks } from '../platform/runtime/source-places.js';
import { setV8Flags } from '../platform/runtime/v8-flags.js';

disableDebugger(process);
setV8Flags();
nameSourcesInStacks();
exitOnUncaughtError(process, 'tuntox');
const { main } = await import('../cli/tuntox/main.js');
exitWith(process, await main(process));

#!/usr/bin/env node
import { exitWith } from '../platform/process/exit.js';
import { disableDebugger } from '../platform/process/signals.js';
import { exitOnUncaughtError } from '../platform/process/uncaught-errors.js';
import { keepHeapSmall } from '../platform/runtime/memory.js';
import { nameSourcesInStacks } from '../platform/runtime/source-places.js';

disableDebugger(process);
keepHeapSmall();
nameSourcesInStacks();
exitOnUncaughtError(process, 'tuntox');
const { main } = await import('../cli/tuntox/main.js');
exitWith(process, await main(process));

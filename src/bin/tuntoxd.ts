#!/usr/bin/env -S node --v8-pool-size=1
import { exitWith } from '../platform/process/exit.js';
import { disableDebugger } from '../platform/process/signals.js';
import { exitOnUncaughtError } from '../platform/process/uncaught-errors.js';
import { nameSourcesInStacks } from '../platform/runtime/source-places.js';
import { setV8Flags } from '../platform/runtime/v8-flags.js';

disableDebugger(process);
setV8Flags();
nameSourcesInStacks();
exitOnUncaughtError(process, 'tuntoxd');
const { main } = await import('../daemon/main.js');
exitWith(process, await main(process));

#!/usr/bin/env node
import { main } from '../cli/ctl/main.js';
import { exitWith } from '../platform/process/exit.js';
import { disableDebugger } from '../platform/process/signals.js';
import { exitOnUncaughtError } from '../platform/process/uncaught-errors.js';
import { nameSourcesInStacks } from '../platform/runtime/source-places.js';

disableDebugger(process);
nameSourcesInStacks();
exitOnUncaughtError(process, 'tuntoxctl');
exitWith(process, await main(process));

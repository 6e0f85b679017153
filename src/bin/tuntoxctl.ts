#!/usr/bin/env node
import { main } from '../cli/ctl/main.js';
import { endWith } from '../platform/process/exit.js';
import { keepDebuggerShut } from '../platform/process/signals.js';
import { endOnFault } from '../platform/process/uncaught-errors.js';
import { nameSourcesInStacks } from '../platform/runtime/source-places.js';

keepDebuggerShut(process);
nameSourcesInStacks();
endOnFault(process, 'tuntoxctl');
endWith(process, await main(process));

#!/usr/bin/env node
import { endWith } from '../platform/process/exit.js';
import { keepDebuggerShut } from '../platform/process/signals.js';
import { endOnFault } from '../platform/process/uncaught-errors.js';
import { keepHeapSmall } from '../platform/runtime/memory.js';
import { nameSourcesInStacks } from '../platform/runtime/source-places.js';

keepDebuggerShut(process);
keepHeapSmall();
nameSourcesInStacks();
endOnFault(process, 'tuntoxd');
const { main } = await import('../daemon/main.js');
endWith(process, await main(process));

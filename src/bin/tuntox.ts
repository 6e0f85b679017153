#!/usr/bin/env node
import { endWith } from '../platform/end.js';
import { endOnFault } from '../platform/last-resort.js';
import { keepHeapSmall } from '../platform/memory.js';
import { keepDebuggerShut } from '../platform/signals.js';
import { nameSourcesInStacks } from '../platform/source-places.js';

keepDebuggerShut(process);
keepHeapSmall();
nameSourcesInStacks();
endOnFault(process, 'tuntox');
const { main } = await import('../cli/tuntox/main.js');
endWith(process, await main(process));

#!/usr/bin/env node
import { main } from '../cli/ctl/main.js';
import { endWith } from '../platform/end.js';
import { endOnFault } from '../platform/last-resort.js';
import { keepDebuggerShut } from '../platform/signals.js';
import { nameSourcesInStacks } from '../platform/source-places.js';

keepDebuggerShut(process);
nameSourcesInStacks();
endOnFault(process, 'tuntoxctl');
endWith(process, await main(process));

#!/usr/bin/env node
import { main } from '../cli/ctl/main.js';
import { keepDebuggerShut } from '../platform/signals.js';
import { nameSourcesInStacks } from '../platform/source-places.js';

keepDebuggerShut(process);
nameSourcesInStacks();
process.exitCode = await main(process);

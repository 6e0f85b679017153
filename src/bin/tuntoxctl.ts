#!/usr/bin/env node
import { main } from '../cli/ctl/main.js';
import { nameSourcesInStacks } from '../platform/source-places.js';

nameSourcesInStacks();
process.exitCode = await main(process);

#!/usr/bin/env node
import { keepYoungGenerationSmall } from '../platform/memory.js';

keepYoungGenerationSmall();
const { main } = await import('../cli/tuntox/main.js');
process.exitCode = await main(process);

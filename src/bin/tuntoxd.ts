#!/usr/bin/env node
import { keepHeapSmall } from '../platform/memory.js';

keepHeapSmall();
const { main } = await import('../daemon/main.js');
process.exitCode = await main(process);

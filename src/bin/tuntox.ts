#!/usr/bin/env node
import { main } from '../cli/tuntox/main.js';

process.exitCode = await main(process);

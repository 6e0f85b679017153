#!/usr/bin/env node
import { main } from '../cli/ctl/main.js';

process.exitCode = await main(process);

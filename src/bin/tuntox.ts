#!/usr/bin/env -S node --v8-pool-size=1
import { exitWith } from '../platform/process/exit.js';
import { disableDebugger } from '../platform/process/signals.js';
import { exitOnUncaughtError } from '../platform/process/uncaught-errors.js';
import { nameSourcesInStacks } from '../platform/runtime/source-places.js';
import { setV8Flags } from '../platform/runtime/v8-flags.js';
import { takeListenDescriptors } from '../platform/service-manager/listen-descriptors.js';

disableDebugger(process);
setV8Flags();
nameSourcesInStacks();
exitOnUncaughtError(process, 'tuntox');
// Before another process is started.
const descriptors = takeListenDescriptors(process);

async function run(): Promise<number> {
  // A word in front may be the name of a host.
  const isOption = process.argv[2]?.startsWith('-') ?? true;
  const light = isOption ? undefined : await (await import('../cli/tuntox/light.js')).runLight(process, descriptors);
  return light ?? (await import('../cli/tuntox/main.js')).main(process, descriptors);
}

// This file is CommonJS in the bundle, which has no `await` here. If nothing is left to wait for, that is a failure.
process.exitCode = 1;
void run().then((status) => exitWith(process, status));

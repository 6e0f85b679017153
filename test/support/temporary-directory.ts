import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';

/** Those that go with this process. */
const lasting = new Set<string>();
process.once('exit', () => {
  for (const path of lasting) remove(path);
});

/** A process that is just ending may still write there, as an agent that has closed its socket does. */
function remove(path: string, attempts = 10): void {
  try {
    // It waits for a moment, but would not look for new files.
    rmSync(path, { recursive: true, force: true, maxRetries: 1, retryDelay: 50 });
  } catch (error) {
    if (attempts === 1) throw error;
    remove(path, attempts - 1);
  }
}

/** A new directory that is removed at the end of the test, or else of this process. */
export function temporaryDirectory(t?: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'tuntox-test-'));
  if (t === undefined) lasting.add(path);
  else t.teardown(() => remove(path));
  return path;
}

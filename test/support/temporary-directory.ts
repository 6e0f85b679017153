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
const remove = (path: string): void => rmSync(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });

/** A new directory that is removed at the end of the test, or else of this process. */
export function temporaryDirectory(t?: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'tuntox-test-'));
  if (t === undefined) lasting.add(path);
  else t.teardown(() => remove(path));
  return path;
}

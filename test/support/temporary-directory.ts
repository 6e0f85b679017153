import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';

/** A new directory that goes away with the test. */
export function temporaryDirectory(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'tuntox-test-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

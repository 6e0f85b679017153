import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';

/** A new directory that goes away with the test, or without one with this process. */
export function temporaryDirectory(t?: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'tuntox-test-'));
  const remove = (): void => rmSync(path, { recursive: true, force: true });
  if (t === undefined) process.once('exit', remove);
  else t.teardown(remove);
  return path;
}

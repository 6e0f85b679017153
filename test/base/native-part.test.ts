import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { loadNativePart, nativeFile } from '../../src/base/native-part.js';
import { ROOT } from '../support/processes.js';
import { builtAddon, requirementsMet } from '../support/requirements.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

interface Part {
  open(): unknown;
  fly(): unknown;
}

t.test('a truncated file, or one that is no addon, is not loaded', async (t) => {
  if (!requirementsMet(t, builtAddon())) return;
  const whole = readFileSync(nativeFile());
  const directory = temporaryDirectory(t);
  const load = (name: string, bytes: Buffer) => {
    const file = join(directory, name);
    writeFileSync(file, bytes);
    return loadNativePart<Part>(['open'], {}, file);
  };
  for (const length of [0, 63, 64, 4096, whole.length >> 1, whole.length - 64]) {
    t.equal(load('cut.node', whole.subarray(0, length)), undefined, `${length} bytes`);
    const hole = Buffer.alloc(whole.length - length);
    t.equal(load('hole.node', Buffer.concat([whole.subarray(0, length), hole])), undefined, `then zeros`);
  }
  t.equal(load('text.node', Buffer.alloc(whole.length, 'text')), undefined);
  const other = `node_modules/sodium-native/prebuilds/${process.platform}-${process.arch}/sodium-native.node`;
  t.equal(loadNativePart<Part>(['open'], {}, join(ROOT, other)), undefined, 'another addon');
  t.type(load('whole.node', whole)?.open, 'function');
});

t.test('a part without one of the functions is not loaded', async (t) => {
  if (!requirementsMet(t, builtAddon())) return;
  t.type(loadNativePart<Part>(['open'], {})?.open, 'function');
  t.equal(loadNativePart<Part>(['open', 'fly'], {}), undefined);
});

t.test('nothing is loaded when it is disabled', async (t) => {
  t.equal(loadNativePart<Part>([], { TUNTOX_NATIVE: 'off' }), undefined);
});

/** The commented file that comes with the daemon, held against the schema: neither may know what the other does not. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { ROOT } from '../support/processes.js';
import { LIST, load } from './support/settings.js';

const text = readFileSync(`${ROOT}etc/tuntox/tuntox.yaml`, 'utf8');
/** As somebody who removes the # of every setting. */
const uncommented = text.replace(/^( *)#([a-z_]+:)/gm, '$1$2');

t.test('the default file changes no setting', async (t) => {
  const { settings, effective } = load(t, { file: text });
  t.strictSame(settings, load(t, {}).settings);
  for (const { key, source } of effective.values()) t.equal(source, 'default', key);
});

t.test('the default file names every setting with its default', async (t) => {
  const { settings, effective } = load(t, { file: uncommented });
  t.strictSame(settings, load(t, {}).settings);
  for (const { key, source } of effective.values()) t.equal(source, 'file', key);
});

t.test('every setting has a comment, and no line is too long', async (t) => {
  const lines = text.split('\n');
  for (const line of lines) t.ok(line.length <= 130, line);
  for (const { key } of LIST.values()) {
    const name = key.slice(key.lastIndexOf('.') + 1);
    const at = lines.findIndex((line) => new RegExp(`^ *#${name}:`).test(line));
    t.match(lines[at - 1], /^ *# \S/, key);
  }
});

t.test('the node in the example is valid', async (t) => {
  const file = uncommented.replace('bootstrap: auto', 'bootstrap:').replace(/^ *# {2}- /m, '    - ');
  t.equal(load(t, { file }).settings.network.nodes?.[0]?.host, '192.0.2.1');
});

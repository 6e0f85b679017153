import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ownVersion } from '../src/base/own-files.js';
import { HELP } from '../src/cli/tuntox/help.js';
import { SETTING_LIST } from '../src/config/setting-list.js';
import { BRIEF_HELP, HELP as DAEMON_HELP } from '../src/daemon/help.js';
import { HOSTS_FORMAT } from '../src/engine/client/host-entry.js';
import { generatedFiles } from './support/generated-files.js';
import { ROOT } from './support/processes.js';
import { requirementsMet, tool } from './support/requirements.js';
import { temporaryDirectory } from './support/temporary-directory.js';

const page = (name: string): string => readFileSync(join(ROOT, 'man', name), 'utf8');

/** Short and long options at the beginning of an entry of a help text. */
function optionsIn(help: string): ReadonlySet<string> {
  const entries = help.split('\n').filter((line) => /^ {2,8}-/.test(line));
  return new Set(entries.flatMap((line) => line.match(/(?<=^ *|, | {2})--?[A-Za-z][a-z-]*/g) ?? []));
}

/** Those that an entry (.It) of a page is about. */
function optionsOf(manual: string): ReadonlySet<string> {
  const entries = manual.split('\n').filter((line) => line.startsWith('.It Fl '));
  return new Set(
    entries.flatMap((line) =>
      (line.match(/(?<=Fl |[A-Za-z] , )(?!Fl )-?[A-Za-z][a-z-]*(?= |$)/g) ?? []).map((name) => `-${name}`),
    ),
  );
}

for (const [path, content] of generatedFiles()) {
  t.test(`${path} is up to date`, async (t) => {
    t.equal(readFileSync(join(ROOT, path), 'utf8'), content, 'make manual writes it');
  });
}

t.test('each page of the manual names the version of the package', async (t) => {
  for (const name of readdirSync(join(ROOT, 'man'))) t.match(page(name), `\n.Os tuntox ${ownVersion()}\n`, name);
});

t.test('the page of tuntox explains every variable of its help', async (t) => {
  for (const name of HELP.match(/\b(TUNTOX_[A-Z_]+|ALL_PROXY)\b/g) ?? []) t.match(page('tuntox.1'), `Ev ${name}`);
});

for (const command of ['tuntox', 'tuntoxd']) {
  t.test(`the completion of ${command} works in bash`, async (t) => {
    const script = `source completions/${command}.bash
      try() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _${command}; echo "\${COMPREPLY[*]}" | tr '\\n' ' '; echo; }
      try ${command} --verb; try ${command} -C pack; try ${command} --pid-file pack; try ${command} --user roo`;
    const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', script], { cwd: ROOT, encoding: 'utf8' });
    t.equal(stderr, '');
    t.match(stdout, /^--verbose \npackaging \n(.* )?package.json .*\n(.* )?root /);
  });
}

t.test('the completion of tuntox completes commands and stored hosts in bash', async (t) => {
  const home = temporaryDirectory(t);
  mkdirSync(join(home, '.tuntox'));
  writeFileSync(join(home, '.tuntox', 'hosts'), '# comment\nnetbox ABC secret\n$(touch x) ABC\n');
  mkdirSync(join(home, '.config', 'tuntox'), { recursive: true });
  const file = {
    version: 1,
    ...HOSTS_FORMAT.encode([{ name: 'nas', toxId: '', pinnedKey: '', secret: undefined, addedAt: 1 }]),
  };
  writeFileSync(join(home, '.config', 'tuntox', 'hosts.json'), JSON.stringify(file, undefined, 2));
  const script = `source ${ROOT}completions/tuntox.bash
    try() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _tuntox; echo "\${COMPREPLY[*]}" | tr '\\n' ' '; echo; }
    try tuntox n; try tuntox ssh n; try tuntox ssh -v nas; try tuntox join n; try tuntox s; try tuntox share n; try tuntox agent st`;
  const env = { HOME: home, PATH: process.env.PATH };
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', script], { cwd: home, encoding: 'utf8', env });
  t.equal(stderr, '');
  t.same(stdout.split('\n').slice(0, 7), [
    ...['nas netbox ', 'nas netbox ', 'nas ', ' ', 'share ssh ssh-config speed ', ' '],
    'start status stop ',
  ]);
});

t.test('no completion has a mistake that its shell finds', async (t) => {
  for (const name of readdirSync(join(ROOT, 'completions'))) {
    const shell = name.slice(name.lastIndexOf('.') + 1);
    if (shell !== 'bash' && !requirementsMet(t, tool(shell, shell))) continue;
    const { status, stderr } = spawnSync(shell, ['-n', join(ROOT, 'completions', name)], { encoding: 'utf8' });
    t.strictSame([status, stderr], [0, ''], name);
  }
});

t.test('the page of the configuration explains every setting with its variable', async (t) => {
  const manual = page('tuntox.yaml.5');
  const explained = [...manual.matchAll(/^\.It Va (\S+) Pq Ev (\S+)$/gm)].map(
    ([, key, variable]) => `${key} ${variable}`,
  );
  t.same(explained.sort(), [...SETTING_LIST.values()].map(({ key, variable }) => `${key} ${variable}`).sort());
});

t.test('the help of tuntoxd fits 80 columns, and its summary 30 lines', async (t) => {
  for (const line of `${DAEMON_HELP}${BRIEF_HELP}`.split('\n')) t.ok(line.length <= 80, line);
  t.ok(BRIEF_HELP.trimEnd().split('\n').length <= 30);
});

t.test('the page of tuntoxd explains every option of its help that is no setting', async (t) => {
  const settings = new Set([...SETTING_LIST.values()].map(({ flag }) => flag));
  const options = [...optionsIn(DAEMON_HELP)].filter((option) => !settings.has(option));
  t.ok(options.length > 10);
  const explained = optionsOf(page('tuntoxd.8'));
  for (const option of options) t.ok(explained.has(option), option);
});

t.test('no page has a mistake that mandoc finds', async (t) => {
  if (!requirementsMet(t, tool('mandoc', 'mandoc'))) return;
  for (const name of readdirSync(join(ROOT, 'man'))) {
    t.doesNotThrow(() => execFileSync('mandoc', ['-Tlint', '-Wwarning', join(ROOT, 'man', name)]), name);
  }
});

t.test('no page has a mistake that groff finds, at 80 columns or more', async (t) => {
  if (!requirementsMet(t, tool('groff', 'groff-base'))) return;
  for (const name of readdirSync(join(ROOT, 'man'))) {
    for (const macros of ['-mdoc', '-mandoc']) {
      for (const width of [78, 80, 120]) {
        const args = ['-ww', '-z', macros, '-Tutf8', `-rLL=${width}n`, join(ROOT, 'man', name)];
        const { status, stderr } = spawnSync('groff', args, { encoding: 'utf8' });
        t.strictSame([status, stderr], [0, ''], `${name}, ${macros}, ${width} columns`);
      }
    }
  }
});

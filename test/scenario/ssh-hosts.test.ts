/** OpenSSH to a stored host: by `tuntox ssh`, and by the lines that `tuntox ssh-config` prints. */
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { CommandNetwork } from '../support/command-network.js';
import { freeTcpPort, Process, startProgram, startTuntox, TUNTOX_COMMAND } from '../support/processes.js';
import { requirementsMet, tool } from '../support/requirements.js';
import { SSH_REQUIREMENTS, startSshd } from '../support/sshd.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const SIZE = 2_000_000;
const LINK_LINE = /^ {2}tuntox join (tuntox:\S+)$/m;

/** A user whose host `nas` is an sshd behind a share. */
class Login {
  readonly #t: Test;
  readonly home: string;
  readonly node: readonly string[];
  readonly port: number;
  readonly #sshOptions: readonly string[];

  private constructor(
    t: Test,
    home: string,
    from: { node: readonly string[]; port: number; options: readonly string[] },
  ) {
    this.#t = t;
    this.home = home;
    this.node = from.node;
    this.port = from.port;
    this.#sshOptions = from.options;
  }

  static async make(t: Test): Promise<Login> {
    const network = await CommandNetwork.start(t);
    const port = await freeTcpPort();
    const sshd = await startSshd({ directory: temporaryDirectory(t), address: '127.0.0.1', port });
    t.teardown(() => sshd.process.stop());
    const [, link = ''] = await network.command('share', ['share', `${port}`]).waitFor(LINK_LINE);
    const login = new Login(t, temporaryDirectory(t), { node: network.node, port, options: sshd.options });
    // The agent outlives the commands.
    t.teardown(() => login.tuntox('agent', 'stop').exited);
    const joined = login.tuntox('join', link, 'nas', ...network.node);
    t.equal(await joined.exited, 0, joined.stderr);
    const config = login.tuntox('ssh-config', ...network.node);
    t.equal(await config.exited, 0, config.stderr);
    const [, , , key = ''] = sshd.options;
    login.#writeConfig(config.stdout, key);
    return login;
  }

  get configFile(): string {
    return join(this.home, 'ssh_config');
  }

  get knownHosts(): string {
    return join(this.home, 'known_hosts');
  }

  /** The user's own part of the settings, and what tuntox printed. */
  #writeConfig(printed: string, key: string): void {
    const own = [
      ...['Host *', `Port ${this.port}`, `IdentityFile ${key}`, `UserKnownHostsFile ${this.knownHosts}`],
      ...['BatchMode yes', 'LogLevel ERROR'],
    ];
    writeFileSync(this.configFile, `${own.join('\n')}\n${printed}`);
  }

  tuntox(...args: readonly string[]): Process {
    return this.#kept(startTuntox(args, { env: { HOME: this.home } }));
  }

  /** `tuntox ssh`, with settings of this test in place of the user's. */
  tuntoxSsh(...args: readonly string[]): Process {
    return this.tuntox('ssh', ...this.node, ...this.#sshOptions, '-o', 'LogLevel=ERROR', '-p', `${this.port}`, ...args);
  }

  /** A program that uses ssh, with the printed lines. */
  run(program: string, ...args: readonly string[]): Process {
    const env = {
      ...process.env,
      HOME: this.home,
      XDG_RUNTIME_DIR: this.home,
      GIT_SSH_COMMAND: `ssh -F ${this.configFile}`,
    };
    return this.#kept(startProgram(program, [program, ...args], { env }));
  }

  #kept(running: Process): Process {
    this.#t.teardown(() => running.stop('SIGKILL'));
    return running;
  }
}

const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

t.test('tuntox ssh logs in, and plain ssh by the printed lines', async (t) => {
  if (!requirementsMet(t, ...SSH_REQUIREMENTS)) return;
  const login = await Login.make(t);
  const directory = temporaryDirectory(t);
  const file = (name: string): string => join(directory, name);
  const bytes = randomBytes(SIZE);
  writeFileSync(file('source'), bytes);

  await t.test('a command runs there with its words, and its status is ours', async (t) => {
    const run = login.tuntoxSsh('root@nas', 'printf "%s|" "a  b" $((1 + 1)); exit 7');
    t.equal(await run.exited, 7, run.stderr);
    t.equal(run.stdout, 'a  b|2|');
    t.equal(run.stderr, '');
  });

  await t.test('input and output are those of ssh', async (t) => {
    const run = login.tuntoxSsh('NAS.tox', 'sha256sum');
    run.child.stdin.end(bytes);
    t.equal(await run.exited, 0, run.stderr);
    t.equal(run.stdout, `${digest(bytes)}  -\n`);
  });

  await t.test('an interactive session has a terminal', async (t) => {
    if (!requirementsMet(t, tool('script', 'bsdutils'))) return;
    const words = [...TUNTOX_COMMAND, 'ssh', ...login.node, '-F', login.configFile, '-p', `${login.port}`, 'nas'];
    const run = login.run('script', '-qefc', words.join(' '), '/dev/null');
    run.child.stdin.write('stty size; tty; exit 3\n');
    await run.waitFor(/\/dev\/pts\/[0-9]+/);
    t.equal(await run.exited, 3, run.stdout);
  });

  await t.test('a host that is not stored is named before ssh starts', async (t) => {
    const run = login.tuntoxSsh('root@nsa', 'true');
    t.equal(await run.exited, 2);
    t.match(run.stderr, /^tuntox: there is no host "nsa": did you mean "nas"\?/);
  });

  await t.test('plain ssh keeps the key of the sshd under the name, which tuntox ssh uses too', async (t) => {
    const run = login.run('ssh', '-F', login.configFile, 'nas.tox', 'echo plain');
    t.equal(await run.exited, 0, run.stderr);
    t.equal(run.stdout, 'plain\n');
    t.match(readFileSync(login.knownHosts, 'utf8'), `[nas.tox]:${login.port} ssh-ed25519 `);
    const strict = ['-F', login.configFile, '-o', 'StrictHostKeyChecking=yes'];
    const known = login.tuntox('ssh', ...login.node, ...strict, 'nas', 'echo known');
    t.equal(await known.exited, 0, known.stderr);
  });

  await t.test('scp copies in both directions', async (t) => {
    const up = login.run('scp', '-q', '-F', login.configFile, file('source'), `nas.tox:${file('up')}`);
    t.equal(await up.exited, 0, up.stderr);
    const down = login.run('scp', '-q', '-F', login.configFile, `nas.tox:${file('up')}`, file('down'));
    t.equal(await down.exited, 0, down.stderr);
    t.equal(digest(readFileSync(file('down'))), digest(bytes));
  });

  await t.test('sftp copies', async (t) => {
    const run = login.run('sftp', '-q', '-F', login.configFile, '-b', '-', 'nas.tox');
    run.child.stdin.end(`get ${file('source')} ${file('by-sftp')}\n`);
    t.equal(await run.exited, 0, run.stderr);
    t.equal(digest(readFileSync(file('by-sftp'))), digest(bytes));
  });

  await t.test('rsync copies a directory', async (t) => {
    if (!requirementsMet(t, tool('rsync', 'rsync'))) return;
    mkdirSync(file('tree/deep'), { recursive: true });
    writeFileSync(file('tree/deep/file'), bytes);
    const run = login.run('rsync', '-a', '-e', `ssh -F ${login.configFile}`, file('tree/'), `nas.tox:${file('copy')}/`);
    t.equal(await run.exited, 0, run.stderr);
    t.equal(digest(readFileSync(file('copy/deep/file'))), digest(bytes));
  });

  await t.test('git clones', async (t) => {
    if (!requirementsMet(t, tool('git', 'git'))) return;
    const git = (...args: string[]): void =>
      void execFileSync('git', ['-C', file('repository'), '-c', 'user.name=t', '-c', 'user.email=t@t', ...args]);
    mkdirSync(file('repository'));
    git('init', '-q');
    writeFileSync(file('repository/file'), bytes);
    git('add', '.');
    git('commit', '-q', '-m', 'a file');
    const run = login.run('git', 'clone', '-q', `nas.tox:${file('repository')}`, file('clone'));
    t.equal(await run.exited, 0, run.stderr);
    t.equal(digest(readFileSync(file('clone/file'))), digest(bytes));
  });

  await t.test('20 sessions at once', async (t) => {
    const sessions = Array.from({ length: 20 }, (_, index) =>
      index % 2 === 0
        ? login.run('ssh', '-F', login.configFile, 'nas.tox', `echo ${index}; sha256sum`)
        : login.tuntoxSsh('nas', `echo ${index}; sha256sum`),
    );
    for (const { child } of sessions) child.stdin.end(bytes);
    for (const [index, one] of sessions.entries()) {
      t.equal(await one.exited, 0, one.stderr);
      t.equal(one.stdout, `${index}\n${digest(bytes)}  -\n`);
    }
  });

  await t.test('a ControlMaster carries further sessions', async (t) => {
    const socket = join(login.home, 'master');
    const control = ['-F', login.configFile, '-o', `ControlPath=${socket}`];
    const master = login.run('ssh', ...control, '-o', 'ControlMaster=yes', '-N', 'nas.tox');
    while (!existsSync(socket) && !master.hasExited) await new Promise((resolve) => setImmediate(resolve));
    const further = Array.from({ length: 5 }, (_, index) => login.run('ssh', ...control, 'nas.tox', `echo ${index}`));
    for (const [index, one] of further.entries()) {
      t.equal(await one.exited, 0, one.stderr);
      t.equal(one.stdout, `${index}\n`);
    }
    t.equal(await login.run('ssh', ...control, '-O', 'exit', 'nas.tox').exited, 0);
    await master.exited;
  });
});

t.test('a missing ssh is named at once', async (t) => {
  const home = temporaryDirectory(t);
  mkdirSync(join(home, '.tuntox'));
  const id = 'E776E9A993EE3CAE04F5946D9AC66FBBAA8C63A95A94B41942353C6DC1739B4B4C762C7DA7B9';
  writeFileSync(join(home, '.tuntox', 'hosts'), `nas ${id}\n`);
  const [, , , node = '', ...script] = TUNTOX_COMMAND;
  const run = new Process('tuntox', node, [...script, 'ssh', 'nas'], { env: { HOME: home, PATH: home } });
  t.equal(await run.exited, 1);
  t.equal(run.stderr, 'tuntox: the program ssh is missing on this machine: install the package openssh-client\n');
});

/** Programs that people forward: PostgreSQL over Unix sockets at both ends, and nginx with many requests at once. */
import { spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import t, { type Test } from 'tap';
import { CommandNetwork } from '../support/command-network.js';
import { freeTcpPort, type Process, startProgram } from '../support/processes.js';
import { requirementsMet, systemFile, tool } from '../support/requirements.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

/** Debian has the programs of the server beside the PATH, by version. */
const POSTGRESQL = '/usr/lib/postgresql';
const serverPrograms = (): string =>
  existsSync(POSTGRESQL) ? join(POSTGRESQL, readdirSync(POSTGRESQL).sort().at(-1) ?? '', 'bin') : '';

/** The server refuses to run as root. */
const isRoot = process.getuid?.() === 0;
const NOBODY = 65_534;
const AS_NOBODY = isRoot ? ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'] : [];

function run(command: readonly string[], environment: NodeJS.ProcessEnv = {}): string {
  const [program = '', ...words] = command;
  const env = { ...process.env, PATH: `${serverPrograms()}${delimiter}${process.env.PATH}`, ...environment };
  const { status, stdout, stderr, error } = spawnSync(program, words, {
    encoding: 'utf8',
    env,
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status !== 0) throw new Error(`${command.join(' ')}: ${error?.message ?? ''} ${stderr}`);
  return stdout;
}

/** @returns the directory of its socket */
async function startPostgres(t: Test): Promise<string> {
  const directory = temporaryDirectory(t);
  if (isRoot) chownSync(directory, NOBODY, NOBODY);
  const data = join(directory, 'data');
  run([...AS_NOBODY, join(serverPrograms(), 'initdb'), '-D', data, '-U', 'test', '-A', 'trust', '--no-sync']);
  const options = ['-D', data, '-k', directory, '-c', 'listen_addresses=', '-c', 'fsync=off'];
  const postgres = startProgram('postgres', [...AS_NOBODY, join(serverPrograms(), 'postgres'), ...options]);
  t.teardown(() => postgres.stop('SIGQUIT'));
  await postgres.waitFor(/ready to accept connections/);
  return directory;
}

async function forward(t: Test, words: readonly string[], rules: string): Promise<Process> {
  const network = await CommandNetwork.start(t);
  const file = join(temporaryDirectory(t), 'rules');
  writeFileSync(file, rules);
  const { id } = await network.server('-f', file);
  const client = network.command('client', ['-i', id, ...words]);
  await client.waitFor(/listening/);
  return client;
}

t.test('psql and pgbench reach PostgreSQL by Unix sockets at both ends', async (t) => {
  const needed = systemFile(join(serverPrograms() || POSTGRESQL, 'initdb'), 'postgresql');
  if (!requirementsMet(t, needed, tool('psql', 'postgresql-client'), tool('pgbench', 'postgresql-contrib'))) return;
  const remote = join(await startPostgres(t), '.s.PGSQL.5432');
  const local = temporaryDirectory(t);
  await forward(t, ['-L', `${join(local, '.s.PGSQL.5432')}:${remote}`], `${remote}\n`);
  const database = { PGHOST: local, PGUSER: 'test', PGDATABASE: 'postgres' };
  t.equal(run(['psql', '-tAc', 'select sum(n) from generate_series(1, 100000) n'], database).trim(), '5000050000');
  const text = run(['psql', '-tAc', "select repeat('x', 3000000)"], database);
  t.equal(text.trim().length, 3_000_000, 'a long row');
  t.throws(() => run(['psql', '-tAc', 'select 1/0'], database), /division by zero/, 'errors come through');
  run(['pgbench', '-i', '-q', '-s', '1'], database);
  const result = run(['pgbench', '-n', '-c', '8', '-j', '2', '-t', '40'], database);
  t.match(result, /number of transactions actually processed: 320\/320/);
  t.match(result, /number of failed transactions: 0 /);
});

/** @returns its port */
async function startNginx(t: Test, content: Buffer): Promise<number> {
  const directory = temporaryDirectory(t);
  const port = await freeTcpPort();
  mkdirSync(join(directory, 'files'));
  writeFileSync(join(directory, 'files/page'), content);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const lines = [
    ...(isRoot ? ['user root;'] : []),
    `daemon off; worker_processes 1; pid ${directory}/pid; error_log stderr notice;`,
    'events { worker_connections 1024; }',
    `http { access_log off; keepalive_requests 10000; ${temporary.map((name) => `${name}_temp_path ${directory}/tmp;`).join(' ')}`,
    `server { listen 127.0.0.1:${port} backlog=1024; root ${directory}/files; } }`,
  ];
  writeFileSync(join(directory, 'nginx.conf'), `${lines.join('\n')}\n`);
  const nginx = startProgram('nginx', ['nginx', '-p', directory, '-e', 'stderr', '-c', join(directory, 'nginx.conf')]);
  t.teardown(() => nginx.stop('SIGQUIT'));
  await nginx.waitFor(/start worker process /);
  return port;
}

t.test('nginx answers 200 requests at once, and many on one connection', async (t) => {
  if (!requirementsMet(t, tool('nginx', 'nginx'), tool('curl', 'curl'))) return;
  const content = Buffer.alloc(100_000, 'a page of nginx\n');
  const web = await startNginx(t, content);
  const port = await freeTcpPort();
  await forward(t, ['-L', `${port}:127.0.0.1:${web}`], `127.0.0.1:${web}\n`);
  const page = `http://127.0.0.1:${port}/page`;
  const shown = ['-sS', '-o', '/dev/null', '-w', '%{http_code} %{size_download} %{num_connects}\n'];
  const parallel = run(['curl', '-Z', '--parallel-immediate', '--parallel-max', '200', ...shown, `${page}?[1-200]`]);
  const answers = parallel.trim().split('\n');
  t.equal(answers.length, 200);
  t.ok(
    answers.every((answer) => answer.startsWith('200 100000 ')),
    parallel,
  );
  const kept = run(['curl', ...shown, `${page}?[1-100]`])
    .trim()
    .split('\n');
  t.strictSame(kept, ['200 100000 1', ...Array<string>(99).fill('200 100000 0')], 'one connection for all');
  t.equal(run(['curl', '-sS', page]), content.toString());
  const twice = run(['curl', '-Z', '--parallel-max', '200', ...shown, `${page}?[1-600]`])
    .trim()
    .split('\n');
  t.equal(twice.filter((answer) => answer.startsWith('200 100000 ')).length, 600);
});

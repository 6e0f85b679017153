/**
 * Runs test files, each in a process of its own, and prints what they say as one document in TAP 14. tap's own runner does the
 * same, but has a thread in every process record which files it loads: 0.8 s of processor time a file, three minutes in all.
 *
 *     node dist/test/support/run.js JOBS SECONDS [FILE...]
 *
 * JOBS files at a time, SECONDS for each of them, all of dist/test unless some are named.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** ms from the signal that lets a test say what it waits for to the one that it cannot refuse. */
const GRACE = 2000;
const INDENT = ' '.repeat(4);

const [jobs = '', seconds = '', ...named] = process.argv.slice(2);
const running = new Set<ChildProcess>();

interface Outcome {
  readonly output: string;
  readonly duration: number;
  /** Why it is no success, as lines of YAML; empty when it is one. */
  readonly faults: readonly string[];
}

function run(file: string): Promise<Outcome> {
  return new Promise((resolve) => {
    const started = performance.now();
    const child = spawn(process.execPath, ['--enable-source-maps', file], {
      env: { ...process.env, TAP: '1', TAP_TIMEOUT: seconds },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    running.add(child);
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    let isExpired = false;
    let lastResort: NodeJS.Timeout | undefined;
    const guard = setTimeout(() => {
      isExpired = true;
      child.kill('SIGALRM');
      lastResort = setTimeout(() => child.kill('SIGKILL'), GRACE);
    }, Number(seconds) * 1000);
    child.once('close', (exitCode, signal) => {
      clearTimeout(guard);
      clearTimeout(lastResort);
      running.delete(child);
      const output = Buffer.concat(chunks).toString();
      const faults = [
        ...(isExpired ? [`expired: ${file}`] : []),
        ...(exitCode === 0 ? [] : [`exitCode: ${exitCode}`, `signal: ${signal}`]),
        // It ended before it had printed the number of its tests, or there is none.
        ...(/^1\.\.[1-9]/m.test(output) ? [] : ['reason: no tests found']),
      ];
      resolve({ output, duration: performance.now() - started, faults });
    });
  });
}

function print(number: number, file: string, { output, duration, faults }: Outcome): void {
  const lines = output.split('\n').filter((line) => line !== '' && !line.startsWith('TAP version'));
  const body = lines.map((line) => `${INDENT}${line}\n`).join('');
  const detail = faults.length === 0 ? '' : `  ---\n${faults.map((fault) => `  ${fault}\n`).join('')}  ...\n`;
  const point = `${faults.length === 0 ? 'ok' : 'not ok'} ${number} - ${file} # time=${duration.toFixed(0)}ms`;
  process.stdout.write(`# Subtest: ${file}\n${body}${point}\n${detail}\n`);
}

function allFiles(): string[] {
  const files = readdirSync('dist/test', { recursive: true, encoding: 'utf8' });
  return files.filter((file) => file.endsWith('.test.js')).map((file) => join('dist/test', file));
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    for (const child of running) child.kill(signal);
    process.kill(process.pid, signal);
  });
}

const waiting = (named.length > 0 ? named : allFiles()).sort();
process.stdout.write(`TAP version 14\n1..${waiting.length}\n`);
let printed = 0;
async function work(): Promise<void> {
  for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
    const outcome = await run(file);
    printed += 1;
    print(printed, file, outcome);
    if (outcome.faults.length > 0) process.exitCode = 1;
  }
}
await Promise.all(Array.from({ length: Number(jobs) }, work));

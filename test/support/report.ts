/**
 * The report of `make test`: reads tap's output on standard input and prints a line for each test file, each failure with
 * its details, everything that was left out with its reason, and at last, alone on its line, `N passed, N failed`. What
 * counts as one is a test with a name, not an assertion. The exit status is 1 when anything failed or nothing ran.
 */
import { createInterface } from 'node:readline';
import { type TapPoint, TapTree } from './tap-tree.js';

/** A file's duration in ms from which the report mentions it. */
const SLOW = 5000;

const leftOut = new Map<string, string[]>();
let passed = 0;
let failed = 0;

function reportFile(file: TapPoint): void {
  const before = failed;
  const passedBefore = passed;
  count(file, []);
  const failures = failed - before;
  // A file that hung has no name of its own: tap says only here which one it was.
  const expired = file.detail.find((line) => line.startsWith('expired: '))?.slice('expired: '.length);
  const name = (expired ?? file.name).replace(/^dist\//, '');
  const outcome = `${passed - passedBefore} passed${failures === 0 ? '' : `, ${failures} failed`}`;
  const slow = file.duration !== undefined && file.duration > SLOW ? ` (${Math.round(file.duration / 1000)} s)` : '';
  console.log(`${failures === 0 ? 'ok  ' : 'FAIL'} ${name}: ${outcome}${slow}`);
}

/** Adds up the tests of a point; a test without subtests is one, whatever it asserts. */
function count(point: TapPoint, path: readonly string[]): void {
  const here = [...path, point.name];
  const before = failed;
  const subtests = point.children.filter(({ isSubtest }) => isSubtest);
  for (const subtest of subtests) count(subtest, here);
  const assertions = point.children.filter(({ isSubtest }) => !isSubtest);
  const skipped = [point, ...assertions].filter(({ skip }) => skip !== undefined);
  for (const { skip, name } of skipped) leaveOut(skip as string, [...here, ...(name === skip ? [] : [name])]);
  const wrong = assertions.filter(({ isOk, skip }) => !isOk && skip === undefined);
  for (const { name, detail } of wrong) describe([...here, name], detail);
  if (wrong.length > 0) failed += 1;
  else if (!point.isOk && point.skip === undefined && failed === before) {
    describe(here, point.detail);
    failed += 1;
  } else if (point.isOk && subtests.length === 0 && (skipped.length === 0 || skipped.length < assertions.length))
    passed += 1;
}

function leaveOut(reason: string, path: readonly string[]): void {
  const names = leftOut.get(reason) ?? [];
  const name = path.map((part) => part.replace(/^dist\//, '')).join(' > ');
  if (!names.includes(name)) names.push(name);
  leftOut.set(reason, names);
}

function describe(path: readonly string[], detail: readonly string[]): void {
  console.log(`\n✖ ${path.join('\n  > ')}`);
  for (const line of detail) console.log(`    ${line}`);
  console.log('');
}

const tree = new TapTree(reportFile);
for await (const line of createInterface({ input: process.stdin })) {
  if (line.startsWith('Bail out!')) {
    console.log(line);
    failed += 1;
  }
  tree.line(line);
}
tree.end();
if (leftOut.size > 0) console.log('\nLeft out:');
for (const [reason, names] of leftOut) console.log(`- ${reason}\n${names.map((name) => `    ${name}`).join('\n')}`);
if (passed + failed === 0) console.log('No test ran.');
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;

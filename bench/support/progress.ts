/** One line that is written over and over, on a terminal only. */

const CLEAR = '\r\u001b[K';
/** ms between two updates that a person can still read. */
const INTERVAL = 100;

let shownAt = Number.NEGATIVE_INFINITY;
let shownWord = '';

export function showProgress(text: string): void {
  if (process.stderr.isTTY !== true) return;
  const word = text.slice(0, 12);
  const now = performance.now();
  if (word === shownWord && now - shownAt < INTERVAL) return;
  shownAt = now;
  shownWord = word;
  process.stderr.write(`${CLEAR}${text} ...`);
}

export function clearProgress(): void {
  if (process.stderr.isTTY === true) process.stderr.write(CLEAR);
}

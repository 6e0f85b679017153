import t from 'tap';
import { canRewrite, StatusLine } from '../../src/cli/status-line.js';

const ERASE = '\x1b[K';
/** Stands for it, as one character. */
const ERASED = '\x1b';

/** A terminal of one screen, which knows only what a status line needs. */
class Screen {
  columns = 80;
  readonly #lines: string[] = [''];
  #column = 0;
  /** Characters in the last column, where a terminal would wrap. */
  overflows = 0;

  write(text: string): boolean {
    for (const part of text.replaceAll(ERASE, ERASED)) this.#take(part);
    return true;
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  #take(part: string): void {
    const line = this.#lines.at(-1) as string;
    if (part === '\r') this.#column = 0;
    else if (part === '\n') {
      this.#lines.push('');
      this.#column = 0;
    } else if (part === ERASED) this.#lines[this.#lines.length - 1] = line.slice(0, this.#column);
    else {
      this.#lines[this.#lines.length - 1] = line.slice(0, this.#column) + part + line.slice(this.#column + 1);
      this.#column += 1;
      if (this.#column >= this.columns) this.overflows += 1;
    }
  }
}

t.test('a line is rewritten in place, and a shorter text leaves nothing of a longer one', async (t) => {
  const screen = new Screen();
  const line = new StatusLine(screen);
  line.show('searching for nas, 9 s');
  line.show('asking');
  t.same(screen.lines, ['asking']);
  line.clear();
  t.same(screen.lines, ['']);
});

t.test('what else is written goes above the line, which stays the last', async (t) => {
  const screen = new Screen();
  const line = new StatusLine(screen);
  line.stream.write('first\n');
  line.show('asking');
  line.stream.write('warning: second\n');
  t.same(screen.lines, ['first', 'warning: second', 'asking']);
  line.end();
  line.show('too late');
  line.stream.write('third\n');
  t.same(screen.lines, ['first', 'warning: second', 'third', '']);
});

t.test('a text is cut to the width of the terminal, so that no terminal wraps it', async (t) => {
  const screen = new Screen();
  const line = new StatusLine(screen);
  screen.columns = 20;
  line.show('opening the NATs between here and nas, 3 s');
  t.same(screen.lines, ['opening the NATs b…']);
  t.equal(screen.overflows, 0);
  screen.columns = 0;
  line.show('x'.repeat(100));
  t.equal(screen.lines[0]?.length, 79, 'a terminal that does not tell its width has 80 columns');
});

t.test('a long line above it is broken between words, and a link is left whole', async (t) => {
  let written = '';
  const line = new StatusLine({ columns: 20, write: (text) => (written += text) });
  line.stream.write('\x1b[33mwarning: \x1b[0mthe link tuntox://0123456789012345 is used up\nnext\n');
  t.equal(written, '\x1b[33mwarning: \x1b[0mthe link\ntuntox://0123456789012345\nis used up\nnext\n');
});

t.test('a line is rewritten only on a terminal that can', async (t) => {
  t.ok(canRewrite({ isTTY: true }, { TERM: 'xterm' }));
  t.notOk(canRewrite({ isTTY: true }, { TERM: 'dumb' }));
  t.notOk(canRewrite({ isTTY: true }, {}));
  t.notOk(canRewrite({}, { TERM: 'xterm' }));
});

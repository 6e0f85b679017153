import t from 'tap';
import { Output } from '../../src/cli/output.js';

/** A terminal of 30 columns, and what is on it. */
function terminal(): { readonly out: Output; readonly lines: () => string[] } {
  let text = '';
  const write = (more: string): void => {
    text += more;
  };
  const out = new Output({ isTTY: true, columns: 30, rows: 24, write }, { mayColour: false });
  return { out, lines: () => text.split('\n').slice(0, -1) };
}

t.test('a line that is too long goes on below, indented, with every word of it once', async (t) => {
  const { out, lines } = terminal();
  out.line('  - nobody gets in: there is neither a secret nor a list', { indent: 4 });
  t.same(lines(), ['  - nobody gets in: there is', '    neither a secret nor a', '    list']);
});

t.test('spaces that align something stay as they are', async (t) => {
  const { out, lines } = terminal();
  out.field('Sessions', '0 clients, 0 tunnels   rx 0 B   tx 0 B');
  t.same(lines(), ['Sessions   0 clients, 0', '           tunnels   rx 0 B', '           tx 0 B']);
});

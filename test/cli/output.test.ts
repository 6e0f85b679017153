import t from 'tap';
import { Output } from '../../src/cli/output.js';

/** A terminal of 30 columns, and its lines. */
function terminal(): { readonly out: Output; readonly lines: () => string[] } {
  let text = '';
  const write = (more: string): void => {
    text += more;
  };
  const out = new Output({ isTTY: true, columns: 30, rows: 24, write }, { mayColour: false });
  return { out, lines: () => text.split('\n').slice(0, -1) };
}

t.test('a line that is too long is wrapped and indented, with each word once', async (t) => {
  const { out, lines } = terminal();
  out.line('  - access is closed: there is neither a secret nor a list', { indent: 4 });
  t.same(lines(), ['  - access is closed: there is', '    neither a secret nor a', '    list']);
});

t.test('spaces that align text are kept', async (t) => {
  const { out, lines } = terminal();
  out.field('Sessions', '0 clients, 0 tunnels   rx 0 B   tx 0 B');
  t.same(lines(), ['Sessions   0 clients, 0', '           tunnels   rx 0 B', '           tx 0 B']);
});

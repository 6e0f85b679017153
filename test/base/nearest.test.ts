import t from 'tap';
import { nearest } from '../../src/base/nearest.js';

const WORDS = ['network.udp_ports', 'network.relay_port', 'log.level', 'log.format', 'user'];

t.test('the word with the fewest letters to change is meant', async (t) => {
  const cases: [string, string][] = [
    ['network.udp_port', 'network.udp_ports'],
    ['network.udp_prots', 'network.udp_ports'],
    ['netwrok.relay_port', 'network.relay_port'],
    ['LOG.LEVEL', 'log.level'],
    ['log-level', 'log.level'],
    ['log.fromat', 'log.format'],
    ['usr', 'user'],
    ['uesr', 'user'],
  ];
  for (const [word, expected] of cases) t.equal(nearest(word, WORDS), expected, word);
});

t.test('what resembles nothing has no neighbour', async (t) => {
  for (const word of ['', 'x', 'colour', 'banana.split', 'verylongwordthatisnothing']) {
    t.equal(nearest(word, WORDS), undefined, word);
  }
  t.equal(nearest('user', []), undefined);
});

t.test('two neighbours that changed places are one mistake, and of equals the first is taken', async (t) => {
  t.equal(nearest('ab', ['ba', 'xy']), 'ba');
  t.equal(nearest('cat', ['car', 'cap']), 'car');
});

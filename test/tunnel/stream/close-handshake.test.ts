import t from 'tap';
import { LastWords } from '../../../src/tunnel/stream/close-handshake.js';

const [FIN, RESET] = [Buffer.from('fin'), Buffer.from('reset')];

t.test('on extended terms the id is free once both have said their last word, whoever is first', async (t) => {
  const words = new LastWords({ needsBoth: true });
  words.noteTheirs();
  t.notOk(words.areSaid);
  words.owe(FIN);
  t.notOk(words.areSaid, 'what is due is not said');
  words.noteSaid();
  t.ok(words.areSaid);
});

t.test('on upstream terms the last word of either is enough', async (t) => {
  const theirs = new LastWords({ needsBoth: false });
  theirs.noteTheirs();
  t.ok(theirs.areSaid);
  const ours = new LastWords({ needsBoth: false });
  ours.owe(FIN);
  t.notOk(ours.areSaid);
  ours.noteSaid();
  t.ok(ours.areSaid);
});

t.test('the first last word stays the last', async (t) => {
  const words = new LastWords({ needsBoth: true });
  t.notOk(words.isSettled);
  t.ok(words.owe(RESET));
  t.notOk(words.owe(FIN));
  t.equal(words.due, RESET);
  t.ok(words.isSettled);
  t.notOk(words.isSaid);
  words.noteSaid();
  t.notOk(words.owe(FIN));
  t.equal(words.due, undefined);
});

t.test('when the peer is away nothing more is said', async (t) => {
  const words = new LastWords({ needsBoth: true });
  words.owe(FIN);
  words.silence();
  t.ok(words.areSaid);
  t.equal(words.due, undefined);
});

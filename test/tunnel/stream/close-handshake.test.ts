import t from 'tap';
import { CloseHandshake } from '../../../src/tunnel/stream/close-handshake.js';

const [FIN, RESET] = [Buffer.from('fin'), Buffer.from('reset')];

t.test('on extended terms the id is free when both last frames are sent', async (t) => {
  const closing = new CloseHandshake({ needsBoth: true });
  closing.onPeerClosed();
  t.notOk(closing.isComplete);
  closing.queue(FIN);
  t.notOk(closing.isComplete, 'a queued frame is not sent');
  closing.onSent();
  t.ok(closing.isComplete);
});

t.test('on upstream terms the last frame of one side is enough', async (t) => {
  const theirs = new CloseHandshake({ needsBoth: false });
  theirs.onPeerClosed();
  t.ok(theirs.isComplete);
  const ours = new CloseHandshake({ needsBoth: false });
  ours.queue(FIN);
  t.notOk(ours.isComplete);
  ours.onSent();
  t.ok(ours.isComplete);
});

t.test('the first last frame that is queued stays', async (t) => {
  const closing = new CloseHandshake({ needsBoth: true });
  t.notOk(closing.isStarted);
  t.ok(closing.queue(RESET));
  t.notOk(closing.queue(FIN));
  t.equal(closing.pending, RESET);
  t.ok(closing.isStarted);
  closing.onSent();
  t.notOk(closing.queue(FIN));
  t.equal(closing.pending, undefined);
});

t.test('when the peer is offline nothing more is sent', async (t) => {
  const closing = new CloseHandshake({ needsBoth: true });
  closing.queue(FIN);
  closing.abandon();
  t.ok(closing.isComplete);
  t.equal(closing.pending, undefined);
});

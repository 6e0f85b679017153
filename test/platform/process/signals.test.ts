import { EventEmitter } from 'node:events';
import t from 'tap';
import {
  onReloadSignal,
  onStopSignal,
  type SignalSource,
  type StopSignal,
  signalNumber,
  stopSignalsOf,
} from '../../../src/platform/process/signals.js';

class TestProcess extends EventEmitter {
  readonly pid = 42;
  readonly killed: [number, StopSignal, number][] = [];

  kill(pid: number, signal: StopSignal): void {
    this.killed.push([pid, signal, this.listenerCount(signal)]);
  }

  /** As the system sends it. */
  signal(name: StopSignal): void {
    this.emit(name, name);
  }
}

t.test('the first signal asks to stop, the second one has its default effect', async (t) => {
  const source = new TestProcess();
  const asked: StopSignal[] = [];
  onStopSignal(source as SignalSource, (signal) => asked.push(signal));
  source.signal('SIGTERM');
  t.same(asked, ['SIGTERM']);
  t.same(source.killed, []);
  source.signal('SIGINT');
  t.same(asked, ['SIGTERM']);
  t.same(source.killed, [[42, 'SIGINT', 0]]);
});

t.test('behind a parent that forwards signals, the second one counts only after a while', async (t) => {
  const source = new TestProcess();
  let time = 1_000;
  const asked: StopSignal[] = [];
  onStopSignal(source as SignalSource, (signal) => asked.push(signal), ['SIGTERM'], { now: () => time });
  source.signal('SIGTERM');
  source.signal('SIGTERM');
  time += 250;
  source.signal('SIGTERM');
  t.same(source.killed, []);
  time += 250;
  source.signal('SIGTERM');
  t.same(asked, ['SIGTERM']);
  t.same(source.killed, [[42, 'SIGTERM', 0]]);
});

t.test('released signals have no listeners', async (t) => {
  const source = new TestProcess();
  const release = onStopSignal(source as SignalSource, () => t.fail('called'));
  release();
  t.equal(source.eventNames().length, 0);
});

t.test('signals have the numbers of the system', async (t) => {
  t.same([signalNumber('SIGHUP'), signalNumber('SIGINT'), signalNumber('SIGTERM')], [1, 2, 15]);
});

t.test('SIGHUP makes the daemon reload its settings', async (t) => {
  const source = new TestProcess();
  let reloads = 0;
  const onReload = (): void => {
    reloads += 1;
  };
  const release = [
    onStopSignal(source as SignalSource, () => t.fail('stopped'), ['SIGINT', 'SIGTERM']),
    onReloadSignal(source as SignalSource, onReload),
  ];
  source.signal('SIGHUP');
  source.signal('SIGHUP');
  t.equal(reloads, 2);
  t.same(source.killed, []);
  for (const end of release) end();
  t.equal(source.eventNames().length, 0);
});

t.test('SIGHUP stops a command only if it has a terminal, so that nohup works', async (t) => {
  t.same(stopSignalsOf([{ isTTY: false }, {}, {}]), ['SIGINT', 'SIGTERM']);
  t.same(stopSignalsOf([{ isTTY: false }, {}, { isTTY: true }]), ['SIGINT', 'SIGTERM', 'SIGHUP']);
});

import { PassThrough } from 'node:stream';
import t from 'tap';
import type { LogLevel } from '../../../src/base/logger.js';
import type { LineFormat } from '../../../src/platform/logging/log-format.js';
import { LogRing } from '../../../src/platform/logging/log-ring.js';
import {
  type LogOptions,
  type ServiceLog,
  serviceLog,
  winstonLogger,
} from '../../../src/platform/logging/winston-logger.js';
import { ManualClock } from '../../support/manual-clock.js';

const LEVELS: readonly LogLevel[] = ['error', 'warn', 'info', 'debug', 'trace'];

/** What a logger writes while `talk` runs. */
function written(options: Partial<LogOptions>, talk: (log: ReturnType<typeof winstonLogger>) => void): string {
  const stream = new PassThrough();
  talk(winstonLogger(stream, { level: 'trace', hasTime: false, hasColour: false, ...options }));
  return String(stream.read() ?? '');
}

t.test('a level shows messages that are at least as severe, one per line', async (t) => {
  for (const [index, level] of LEVELS.entries()) {
    const text = written({ level }, (log) => {
      for (const each of LEVELS) log[each](`said ${each}`);
    });
    t.equal(text.split('\n').length - 1, index + 1, level);
    t.match(text, `said ${level}`);
  }
});

t.test('warnings and errors have a label, information has none', async (t) => {
  const text = written({}, (log) => {
    log.error('a');
    log.warn('b');
    log.info('c');
    log.child('dht').child('ping').debug('d');
  });
  t.equal(text, 'error: a\nwarning: b\nc\ndebug: dht: ping: d\n');
});

t.test('the time and colours are shown only on request', async (t) => {
  t.match(
    written({ hasTime: true }, (log) => log.info('x')),
    /^\d{4}-\d\d-\d\dT[\d:.]+Z x\n$/,
  );
  t.equal(
    written({ hasColour: true }, (log) => log.warn('x')),
    '\u001b[33mwarning: \u001b[0mx\n',
  );
  t.equal(
    written({ hasColour: true }, (log) => log.info('x')),
    'x\n',
  );
});

t.test('control characters in a message are escaped', async (t) => {
  t.equal(
    written({}, (log) => log.info('a\nerror: b\r\u001b[2J\u009bc')),
    'a\\x0aerror: b\\x0d\\x1b[2J\\x9bc\n',
  );
});

t.test('a stream that was closed does no harm', async (t) => {
  const stream = new PassThrough();
  const log = winstonLogger(stream, { level: 'info', hasTime: false, hasColour: false });
  stream.destroy(new Error('EPIPE'));
  await new Promise((resolve) => setImmediate(resolve));
  t.doesNotThrow(() => log.info('to nobody'));
  await new Promise((resolve) => setImmediate(resolve));
});

const PLAIN: LineFormat = { kind: 'plain', hasTime: false, hasColour: false };

function service(options: { level?: LogLevel; format?: LineFormat } = {}): {
  log: ServiceLog;
  ring: LogRing;
  text: () => string;
} {
  const stream = new PassThrough();
  const ring = new LogRing();
  const log = serviceLog({ clock: new ManualClock(), stream, ring }, { level: 'info', format: PLAIN, ...options });
  return { log, ring, text: () => String(stream.read() ?? '') };
}

t.test('a change of level applies to existing children', async (t) => {
  const { log, text } = service();
  const child = log.logger.child('dht').child('ping');
  child.debug('1');
  log.level = 'debug';
  child.debug('2');
  log.logger.trace('3');
  log.level = 'error';
  child.warn('4');
  child.error('5');
  t.equal(log.level, 'error');
  t.equal(text(), 'debug: dht: ping: 2\nerror: dht: ping: 5\n');
});

t.test('a dropped message is not formatted', async (t) => {
  const { log, ring, text } = service({ level: 'warn' });
  const message = { toString: () => t.fail('made') } as unknown as string;
  log.logger.child('x').debug(message);
  t.equal(ring.last(1).length, 0);
  t.equal(text(), '');
});

t.test('journald gets the priority of each line, and a message cannot forge one', async (t) => {
  const { log, text } = service({ level: 'trace', format: { kind: 'journal' } });
  for (const level of LEVELS) log.logger[level](level);
  log.logger.info('a\n<0>b');
  t.equal(text(), '<3>error\n<4>warn\n<6>info\n<7>debug\n<7>trace\n<6>a\\x0a<0>b\n');
});

t.test('the JSON format has one object per line', async (t) => {
  const { log, text } = service({ format: { kind: 'json' } });
  log.logger.child('dht').warn('"quoted"\n');
  const { time, ...rest } = JSON.parse(text()) as { time: string };
  t.match(time, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  t.same(rest, { level: 'warn', message: 'dht: "quoted"\\x0a' });
});

t.test('the format can change while the log is in use', async (t) => {
  const { log, text } = service();
  log.logger.warn('a');
  log.format = { kind: 'journal' };
  log.logger.warn('b');
  t.equal(text(), 'warning: a\n<4>b\n');
});

t.test('the ring gets the messages without time and colour', async (t) => {
  const { log, ring } = service({ format: { kind: 'plain', hasTime: true, hasColour: true } });
  log.logger.child('x').warn('a\u001bb');
  const [record] = ring.last(5);
  t.match(record, { level: 'warn', message: 'x: a\\x1bb' });
  t.ok(Number.isInteger(record?.at));
});

t.test('neither a line nor the ring contains whole Tox IDs, keys or passwords', async (t) => {
  const id = 'E776E9A993EE3CAE04F5946D9AC66FBBAA8C63A95A94B41942353C6DC1739B4B4C762C7DA7B9';
  const secrets = [
    id,
    id.slice(0, 64),
    id.toLowerCase(),
    `x${id}x`,
    id.repeat(20),
    'socks5://canary:canary@h:1',
    'http://canary@h',
  ];
  for (const kind of ['plain', 'journal', 'json'] as const) {
    const { log, ring, text } = service({ format: kind === 'plain' ? PLAIN : { kind } });
    for (const secret of secrets) log.logger.error(`about ${secret}, and ${secret}`);
    for (const found of [text(), JSON.stringify(ring.last(100).map((record) => record.message))]) {
      t.notMatch(found, /canary|[0-9a-f]{9}/i, kind);
      t.match(found, 'about E776E9A9…, and E776E9A9…');
      t.match(found, 'socks5://…@h:1');
    }
  }
});

t.test('a key after the words "public key" stays whole, a Tox ID does not', async (t) => {
  const key = 'AB'.repeat(32);
  const { log, text } = service({ format: PLAIN });
  log.logger.warn(`refused (public key ${key})`);
  log.logger.warn(`refused (public key ${key}0123456789AB)`);
  const found = text();
  t.match(found, `refused (public key ${key})`);
  t.match(found, 'refused (public key ABABABAB…)');
});

t.test('the log of a command shows a whole key', async (t) => {
  const key = 'ab'.repeat(32);
  t.equal(
    written({}, (log) => log.info(key)),
    `${key}\n`,
  );
});

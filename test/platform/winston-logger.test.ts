import { PassThrough } from 'node:stream';
import t from 'tap';
import type { LogLevel } from '../../src/base/logger.js';
import { type LogOptions, winstonLogger } from '../../src/platform/winston-logger.js';

const LEVELS: readonly LogLevel[] = ['error', 'warn', 'info', 'debug', 'trace'];

/** What a logger writes while `talk` runs. */
function written(options: Partial<LogOptions>, talk: (log: ReturnType<typeof winstonLogger>) => void): string {
  const stream = new PassThrough();
  talk(winstonLogger(stream, { level: 'trace', hasTime: false, hasColour: false, ...options }));
  return String(stream.read() ?? '');
}

t.test('a level lets through what is at least as grave, one line each', async (t) => {
  for (const [index, level] of LEVELS.entries()) {
    const text = written({ level }, (log) => {
      for (const each of LEVELS) log[each](`said ${each}`);
    });
    t.equal(text.split('\n').length - 1, index + 1, level);
    t.match(text, `said ${level}`);
  }
});

t.test('warnings and errors are named, information speaks for itself', async (t) => {
  const text = written({}, (log) => {
    log.error('a');
    log.warn('b');
    log.info('c');
    log.child('dht').child('ping').debug('d');
  });
  t.equal(text, 'error: a\nwarning: b\nc\ndebug: dht: ping: d\n');
});

t.test('there is time only when asked for, and colour too', async (t) => {
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

t.test('what comes from elsewhere can neither make a line nor steer the terminal', async (t) => {
  t.equal(
    written({}, (log) => log.info('a\nerror: b\r\u001b[2J\u009bc')),
    'a\\x0aerror: b\\x0d\\x1b[2J\\x9bc\n',
  );
});

t.test('a reader that went away does no harm', async (t) => {
  const stream = new PassThrough();
  const log = winstonLogger(stream, { level: 'info', hasTime: false, hasColour: false });
  stream.destroy(new Error('EPIPE'));
  await new Promise((resolve) => setImmediate(resolve));
  t.doesNotThrow(() => log.info('to nobody'));
  await new Promise((resolve) => setImmediate(resolve));
});

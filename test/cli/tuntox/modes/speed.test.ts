import { PassThrough, Writable } from 'node:stream';
import t from 'tap';
import { silentLogger } from '../../../../src/base/logger.js';
import { StopRequest } from '../../../../src/cli/tuntox/context.js';
import { readCommandLine } from '../../../../src/cli/tuntox/flags.js';
import { speed } from '../../../../src/cli/tuntox/modes/speed.js';
import { settingsOf } from '../../../../src/cli/tuntox/settings.js';
import type { SpeedSettings } from '../../../../src/config/classic-settings.js';
import type { Remote } from '../../../../src/engine/agent/agent-remote.js';

const ID = 'E776E9A993EE3CAE04F5946D9AC66FBBAA8C63A95A94B41942353C6DC1739B4B4C762C7DA7B9';
const HOST = { name: 'nas', toxId: ID, pinnedKey: undefined, secret: undefined, addedAt: undefined };

t.test('Ctrl-C in the midst of a measurement leaves nothing on the line', async (t) => {
  const stopping = new StopRequest();
  const written: string[] = [];
  const stdout = Object.assign(
    new Writable({
      write: (text: Buffer, _encoding, done) => {
        written.push(text.toString());
        stopping.ask('SIGINT');
        done();
      },
    }),
    { isTTY: true },
  );
  let breakOff: (error: Error) => void = () => {};
  const server = {
    online: Promise.resolve(),
    givenUp: new Promise<never>(() => {}),
    pipe: () => new Promise<never>((_, reject) => (breakOff = reject)),
  } as unknown as Remote;
  const settings = settingsOf(readCommandLine(['speed', 'nas']), {}, HOST) as SpeedSettings;
  const environment = { TERM: 'xterm' };
  const stdin = new PassThrough();
  const context = { environment, log: silentLogger, stdout, stdin, hasColour: false, stopping, descriptors: [] };
  t.equal(await speed(settings, server, context), 130);
  t.match(written[0], /down +0 B\/s/);
  t.equal(written.at(-1), '\r\x1b[K\r');
  const { length } = written;
  breakOff(new Error('the process ends'));
  await new Promise(setImmediate);
  t.equal(written.length, length, 'and nothing follows');
});

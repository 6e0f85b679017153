/** `-p` when its output fails. */
import { PassThrough, Writable } from 'node:stream';
import t from 'tap';
import { type Logger, silentLogger } from '../../../src/base/logger.js';
import { StopRequest } from '../../../src/cli/tuntox/context.js';
import { readCommandLine } from '../../../src/cli/tuntox/flags.js';
import { ping } from '../../../src/cli/tuntox/modes/ping.js';
import { settingsOf } from '../../../src/cli/tuntox/settings.js';
import type { PingSettings } from '../../../src/config/classic-settings.js';
import type { RemoteServer } from '../../../src/engine/client/remote-server.js';

const ID = 'E776E9A993EE3CAE04F5946D9AC66FBBAA8C63A95A94B41942353C6DC1739B4B4C762C7DA7B9';

for (const [code, status, said] of [
  ['ENOSPC', 1, ['cannot write to standard output: disk full']],
  ['EPIPE', 141, []],
] as const) {
  t.test(`a ping whose output fails with ${code} ends with ${status}`, async (t) => {
    const errors: string[] = [];
    const log: Logger = { ...silentLogger, error: (text) => void errors.push(text) };
    const stdout = new Writable({ write: (_bytes, _encoding, done) => done(Object.assign(new Error(code), { code })) });
    const settings = settingsOf(readCommandLine(['-i', ID, '-p']), {}) as PingSettings;
    const server = { ping: async () => 1 } as unknown as RemoteServer;
    const context = {
      environment: {},
      log,
      stdout,
      stdin: new PassThrough(),
      hasColour: false,
      descriptors: [],
      stopping: new StopRequest(),
    };
    t.equal(await ping(settings, server, context), status);
    t.same(errors, said);
  });
}

import t from 'tap';
import { encodeRequest, parseEvent, parseRequest } from '../../src/agent/messages.js';

const ID = 'E776E9A993EE3CAE04F5946D9AC66FBBAA8C63A95A94B41942353C6DC1739B4B4C762C7DA7B9';
const common = { timeout: undefined, maxRetries: 0, onlyIfConnected: false };
const host = { toxId: ID };
const target = { host: '127.0.0.1', port: 22 };
const ann = { name: 'ann', password: 'canary' };

t.test('a request is read as it was written', async (t) => {
  for (const request of [
    { ask: 'open', host, target, ...common },
    { ask: 'open', host: { toxId: ID, secret: 'canary' }, target: { service: 'ssh' }, ...common, timeout: 60_000 },
    { ask: 'ping', count: 4, host, ...common, onlyIfConnected: true },
    { ask: 'open', host, target: { path: '/run/a.sock' }, ...common },
    { ask: 'hold', host, targets: [target, { service: 'ssh' }], ...common, timeout: 1_000, maxRetries: 3 },
    { ask: 'services', host, ...common },
    { ask: 'listen', host, at: { bind: null, port: 0 }, target, users: undefined, ...common },
    { ask: 'listen', host, at: { bind: '::1', port: 1080 }, target: undefined, users: [ann], ...common },
    { ask: 'leave', host: { toxId: ID, secret: undefined, name: undefined } },
    { ask: 'status' },
    { ask: 'stop', when: 'idle' },
  ] as const) {
    t.same(parseRequest(encodeRequest(request)), { kind: 'request', request });
  }
});

t.test('an open needs nothing but the server and the target', async (t) => {
  const parsed = parseRequest(JSON.stringify({ version: 1, ask: 'open', host, target }));
  t.same(parsed, { kind: 'request', request: { ask: 'open', host, target, ...common } });
});

t.test('a wrong request is refused with what is expected', async (t) => {
  const open = { version: 1, ask: 'open', host, target };
  const at = { bind: null, port: 80 };
  const wrong: readonly (readonly [RegExp, unknown])[] = [
    [/JSON object/, 'open'],
    [/JSON object/, []],
    [/^ask:/, { ...open, ask: 'close' }],
    [/^ask:/, { ...open, ask: undefined }],
    [/^host:/, { ...open, host: undefined }],
    [/^host:/, { ...open, ask: 'leave', host: undefined }],
    [/^host:/, { ...open, host: { toxId: ID.slice(1) } }],
    [/^host:/, { ...open, host: { toxId: ID, secret: 7 } }],
    [/^host:/, { ...open, host: { toxId: ID, secret: 'a'.repeat(921) } }],
    [/^host:/, { ...open, host: { toxId: ID, secret: '€'.repeat(307) } }],
    [/^target:/, { ...open, target: '127.0.0.1:22' }],
    [/^target:/, { ...open, target: { host: '', port: 22 } }],
    [/^target:/, { ...open, target: { host: 'a'.repeat(254), port: 22 } }],
    [/^target:/, { ...open, target: { host: 'a', port: 0 } }],
    [/^target:/, { ...open, target: { path: 'a.sock' } }],
    [/^target:/, { ...open, target: { path: `/${'a'.repeat(107)}` } }],
    [/^target:/, { ...open, target: { host: 'a', port: 65_536 } }],
    [/^target:/, { ...open, target: { host: 'a', port: 1.5 } }],
    [/^timeout:/, { ...open, timeout: 0 }],
    [/^timeout:/, { ...open, timeout: '60s' }],
    [/^maxRetries:/, { ...open, maxRetries: -1 }],
    [/^onlyIfConnected:/, { ...open, onlyIfConnected: 1 }],
    [/^at:/, { ...open, ask: 'listen' }],
    [/^target:/, { ...open, ask: 'listen', at, target: null }],
    [/^users:/, { ...open, ask: 'listen', at, users: [ann] }],
    [/^users:/, { ...open, ask: 'listen', at, target: undefined, users: [] }],
    [/^users:/, { ...open, ask: 'listen', at, target: undefined, users: ['ann'] }],
    [/^count:/, { ...open, ask: 'ping', count: 0 }],
    [/^targets:/, { ...open, ask: 'hold', targets: target }],
    [/^targets:/, { ...open, ask: 'hold', targets: [target, {}] }],
  ];
  for (const [what, message] of wrong) t.match(parseRequest(JSON.stringify(message)), { kind: 'wrong', what });
  t.match(parseRequest('{"version":1'), { kind: 'wrong' });
});

t.test('another version is known as such, and may still ask for the status and the end', async (t) => {
  t.same(parseRequest(JSON.stringify({ version: 2, ask: 'open' })), { kind: 'version', version: 2 });
  t.same(parseRequest('{"version":2,"ask":"status"}'), { kind: 'request', request: { ask: 'status' } });
  t.same(parseRequest('{"version":2,"ask":"stop"}'), { kind: 'request', request: { ask: 'stop', when: 'now' } });
});

t.test('an event is an object with a name', async (t) => {
  t.same(parseEvent('{"event":"pong","ms":3}'), { event: 'pong', ms: 3 });
  for (const line of ['', '7', 'null', '[]', '{}', '{"event":7}', '{"event"']) t.equal(parseEvent(line), undefined);
});

import t from 'tap';
import * as v from 'valibot';
import { JsonEvents, type NewsEvent } from '../../../src/cli/tuntox/json-events.js';
import { ClientEvent } from '../../../src/control/messages/events.js';
import { ManualClock } from '../../support/manual-clock.js';

function printed(...events: readonly NewsEvent[]): string[] {
  let text = '';
  const stream = {
    write: (line: string): void => {
      text += line;
    },
  };
  const { tell } = new JsonEvents({ clock: new ManualClock(), stream });
  for (const event of events) tell(event);
  return text.trimEnd().split('\n');
}

t.test('an event is one line with its schema and the time', async (t) => {
  t.same(printed({ event: 'connected', path: 'direct', rttMs: 23.4 }), [
    '{"schema":"tuntox.event/1","at":"2027-01-15T08:00:00Z","event":"connected","path":"direct","rttMs":23.4}',
  ]);
});

t.test('events are as docs/schema describes them', async (t) => {
  const client = 'ab'.repeat(32);
  const events: NewsEvent[] = [
    { event: 'searching' },
    { event: 'connected', path: 'relayed' },
    { event: 'retry', code: 'not-found', message: 'it was not found', pauseMs: 1_000, left: 2 },
    { event: 'listening', kind: 'local', address: '127.0.0.1', port: 10022, target: '127.0.0.1:22' },
    { event: 'services', services: [{ name: 'ssh', port: 22 }] },
    { event: 'services', services: null },
    { event: 'client-connected', client, path: 'direct', rttMs: 1 },
    { event: 'tunnel-closed', client, target: 'a:1', receivedBytes: 1, sentBytes: 2 },
    { event: 'error', code: 'not-found', message: 'it was not found' },
  ];
  const lines = printed(...events);
  t.equal(lines.length, events.length);
  for (const line of lines) t.doesNotThrow(() => v.parse(ClientEvent, JSON.parse(line)), line);
  t.throws(() => v.parse(ClientEvent, { ...JSON.parse(lines[0] as string), more: 1 }));
});

t.test('nothing follows an error, and texts of others control no terminal', async (t) => {
  const error = { event: 'error', code: 'failed', message: '\u001b[31m"canary"\n' } as const;
  const lines = printed(error, { event: 'error', code: 'failed', message: 'again' }, { event: 'searching' });
  t.equal(lines.length, 1);
  t.notMatch(lines[0], '\u001b');
  t.equal(JSON.parse(lines[0] as string).message, error.message);
});

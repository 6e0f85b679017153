import t, { type Test } from 'tap';
import { changesBetween } from '../../src/config/setting-changes.js';
import { LIST, load, type Written } from './support/settings.js';

const between = (test: Test, before: Written, after: Written) =>
  changesBetween(load(test, before).effective, load(test, after).effective);

t.test('a value from another source is no change', async (t) => {
  t.same(between(t, { file: 'log: {level: debug}' }, { environment: { TUNTOX_LOG_LEVEL: 'debug' } }), {
    atOnce: [],
    needRestart: [],
  });
});

t.test('changed bootstrap nodes need a restart, however they are written', async (t) => {
  const none = { file: 'network: {bootstrap: []}' };
  t.same(between(t, {}, none), { atOnce: [], needRestart: ['network.bootstrap'] });
  t.same(between(t, none, { environment: { TUNTOX_NETWORK_BOOTSTRAP: 'none' } }), { atOnce: [], needRestart: [] });
  t.same(between(t, {}, { file: 'network: {bootstrap: auto}' }), { atOnce: [], needRestart: [] });
});

t.test('log, access, targets and http change at once, the others need a restart', async (t) => {
  const file = [
    'state_dir: /a',
    'user: b',
    'socket: {path: /c, group: d}',
    'log: {level: debug, format: json}',
    `network: {udp_ports: "1:2", relay_port: 0, bootstrap: ["a:1:${'F404ABAA1C99A9D37D61AB54898F56793E1DEF8BD46B1038B9D822E8460FAB67'}"]}`,
    'access: {require: any, open: true, secret_file: /e}',
    'targets: {rules_file: /f}',
    'http: {listen: "127.0.0.1:1"}',
  ].join('\n');
  const { atOnce, needRestart } = between(t, {}, { file });
  t.same(atOnce, [
    ...['log.level', 'log.format', 'access.require', 'access.open', 'access.secret_file'],
    ...['targets.rules_file', 'http.listen'],
  ]);
  t.same(needRestart, [
    ...['state_dir', 'user', 'socket.path', 'socket.group'],
    ...['network.udp_ports', 'network.relay_port', 'network.bootstrap'],
  ]);
  for (const key of [...atOnce, ...needRestart]) t.ok(LIST.has(key), key);
});

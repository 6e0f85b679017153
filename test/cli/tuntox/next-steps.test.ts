import t from 'tap';
import { nextSteps } from '../../../src/cli/tuntox/next-steps.js';

const commandsOf = (facts: Omit<Parameters<typeof nextSteps>[0], 'name'>): string[] =>
  (nextSteps({ name: 'nas', ...facts }).match(/tuntox .*?(?= {3})/g) ?? []).map((command) => command.trim());

t.test('what a host offers is shown, and nothing that it does not', async (t) => {
  const [ssh, web] = [
    { name: 'ssh', port: 22 },
    { name: 'web', port: 80 },
  ];
  const steps = (services: (typeof ssh)[]): string[] => commandsOf({ target: undefined, services });
  t.same(steps([ssh, web]), ['tuntox ssh nas', 'tuntox nas', 'tuntox nas -L 10080:web']);
  t.same(steps([ssh]), ['tuntox ssh nas', 'tuntox nas', 'tuntox nas -L 10022:ssh']);
  t.same(steps([web]), ['tuntox nas', 'tuntox nas -L 10080:web']);
  t.same(commandsOf({ target: { host: 'ssh', port: 0 }, services: [web, ssh] }).at(-1), 'tuntox nas -L 10022:ssh');
});

t.test('without services, the target of the link says what is allowed', async (t) => {
  const steps = (host: string, port: number): string[] => commandsOf({ target: { host, port }, services: [] });
  t.same(commandsOf({ target: undefined, services: [] }), [
    ...['tuntox ssh nas', 'tuntox nas', 'tuntox nas -L 8080:127.0.0.1:80'],
  ]);
  t.same(steps('127.0.0.1', 22), ['tuntox ssh nas', 'tuntox nas', 'tuntox nas -L 10022:127.0.0.1:22']);
  t.same(steps('10.0.0.5', 22), ['tuntox nas', 'tuntox nas -L 10022:10.0.0.5:22']);
  t.same(steps('127.0.0.1', 3000), ['tuntox nas', 'tuntox nas -L 3000:127.0.0.1:3000']);
  t.same(steps('web', 0), ['tuntox nas', 'tuntox nas -L 8080:web']);
});

/** What an installation and an upgrade make of /etc/tuntox (packaging/settings.sh), on an /etc of its own. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ROOT, TUNTOX } from '../support/processes.js';
import { requirementsMet, root } from '../support/requirements.js';

const MACHINE = `set -e
mount -t tmpfs none /etc
printf 'root:x:0:0::/:/bin/sh\\ntuntox:x:998:997::/:/bin/sh\\n' >/etc/passwd
printf 'root:x:0:\\ntuntox:x:997:\\n' >/etc/group
`;
const SETTLE = 'sh packaging/settings.sh etc/tuntox\n';
const SHOW = 'cd /etc/tuntox && stat -c "%n %U:%G %a" . * | sort\n';
/** All of it the daemon's, as before. */
const OLD = `mkdir -m 700 /etc/tuntox && chown tuntox:tuntox /etc/tuntox && cp etc/tuntox/nodes.json /etc/tuntox/
(cd /etc/tuntox && touch tox_save tox_save.lock whitelist.json rules && echo '# mine' >tuntox.yaml && chown tuntox:tuntox * && chmod 600 *)
`;

/** @returns what the script prints */
function on(t: Test, script: string): string {
  const { status, stdout, stderr } = spawnSync('unshare', ['--mount', 'sh', '-c', MACHINE + script], {
    cwd: join(ROOT),
    encoding: 'utf8',
  });
  t.equal(status, 0, stderr);
  return stdout;
}

t.test('the settings of a machine', async (t) => {
  if (!requirementsMet(t, root('mount an /etc of its own'))) return;

  await t.test('on a fresh machine are the commented defaults, of root', async (t) => {
    const shown = on(t, `${SETTLE}cmp etc/tuntox/tuntox.yaml /etc/tuntox/tuntox.yaml\n${SHOW}`);
    t.equal(shown, '. root:tuntox 1770\ntuntox.yaml root:tuntox 640\n');
  });

  await t.test(
    'of an earlier installation become those of root, and what the daemon writes stays its own',
    async (t) => {
      const shown = on(t, `${OLD}${SETTLE}grep -qx '# mine' /etc/tuntox/tuntox.yaml\n${SHOW}`);
      const lines = ['. root:tuntox 1770', 'rules root:tuntox 640', 'tox_save tuntox:tuntox 600'];
      lines.push('tox_save.lock tuntox:tuntox 600', 'tuntox.yaml root:tuntox 640', 'whitelist.json tuntox:tuntox 600');
      t.equal(shown, `${lines.join('\n')}\n`);
    },
  );

  await t.test('are made readable if only root could read them, and an own list of nodes stays', async (t) => {
    const shown = on(
      t,
      `${OLD}chown root:root /etc/tuntox/tuntox.yaml; echo {} >/etc/tuntox/nodes.json\n${SETTLE}${SHOW}`,
    );
    t.match(shown, /^tuntox\.yaml root:tuntox 640$/m);
    t.match(shown, /^nodes\.json root:tuntox 640$/m);
  });

  await t.test('lead to no file elsewhere: neither by a link nor by a second name', async (t) => {
    const planted = 'echo precious >/etc/shadow; chmod 600 /etc/shadow; ln -s /etc/shadow /etc/tuntox/link\n';
    const second = 'mv /etc/tuntox/rules /etc/rules; ln /etc/rules /etc/tuntox/rules\n';
    const shown = on(t, `${OLD}${planted}${second}${SETTLE}stat -c '%n %U:%G %a' /etc/shadow /etc/rules`);
    t.equal(shown, '/etc/shadow root:root 600\n/etc/rules tuntox:tuntox 600\n');
  });

  await t.test('are not changed by a process that has a file of the daemon open for writing', async (t) => {
    const write = 'echo planted >&9; cat /etc/tuntox/tuntox.yaml; ls -A /etc/tuntox | grep -c settings || true\n';
    t.equal(on(t, `${OLD}exec 9>>/etc/tuntox/tuntox.yaml\n${SETTLE}${write}`), '# mine\n0\n');
  });

  await t.test('are not touched again, once they are as they should be', async (t) => {
    const change =
      'chmod 600 /etc/tuntox/tuntox.yaml; echo mine >/etc/tuntox/own; chown tuntox:tuntox /etc/tuntox/own\n';
    const shown = on(t, `${OLD}${SETTLE}${change}${SETTLE}${SHOW}`);
    t.match(shown, /^own tuntox:tuntox 644$/m);
    t.match(shown, /^tuntox\.yaml root:tuntox 600$/m);
  });

  await t.test('are left alone by a server of root, which says how to start the daemon', async (t) => {
    const server = `env -u NODE_OPTIONS ${process.execPath} ${TUNTOX} --insecure-open --bootstrap none >/etc/said 2>&1 &`;
    const serves =
      'while [ -d /proc/$! ] && ! grep -qx "[0-9A-F]*" /etc/said; do sleep 0.1; done; kill $!; cat /etc/said';
    const shown = on(t, `${OLD}${SETTLE}${server}\n${serves}\n${SHOW}`);
    t.match(shown, /^warning: \/etc\/tuntox belongs to the daemon, so this Tox ID is temporary: add -U tuntox .*-C/m);
    t.match(shown, /^tox_save tuntox:tuntox 600$/m);
  });
});

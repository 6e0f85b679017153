/** The VPN of docs/vpn.md between two hosts of the lab, with its own script and socat. */
import t from 'tap';
import { LAB_REQUIREMENTS, Lab } from '../support/lab.js';
import { isReachable, killSocat, startVpn, VPN, VPN_REQUIREMENTS } from '../support/lab-vpn.js';
import { requirementsMet } from '../support/requirements.js';

t.test('each end reaches the other by IPv4 and IPv6, with packets of the whole MTU', async (t) => {
  if (!requirementsMet(t, ...LAB_REQUIREMENTS, ...VPN_REQUIREMENTS)) return;
  const lab = await Lab.up(t, { topology: 'nat', delay: 5 });
  const { ends } = await startVpn(lab);
  t.ok(await isReachable(lab, VPN.bob), ends.bob.stderr);
  t.ok(await isReachable(lab, VPN.bob, 1369));
  t.ok(await isReachable(lab, VPN.bob6));
  t.notOk(
    await lab.exec('alice', 'ping', '-n', '-M', 'do', '-s', '1342', '-c', '1', VPN.bob).catch(() => ''),
    'and no larger ones',
  );
  killSocat(ends.bob);
  t.ok(await isReachable(lab, VPN.bob), 'after the end of one socat');
  killSocat(ends.alice);
  t.ok(await isReachable(lab, VPN.bob), 'and of the other one');
});

t.test('where UDP is blocked, a relay carries the packets of a VPN', async (t) => {
  if (!requirementsMet(t, ...LAB_REQUIREMENTS, ...VPN_REQUIREMENTS)) return;
  const lab = await Lab.up(t, { alice: 'udp-blocked', bob: 'nat', delay: 5 });
  const { client, ends, startClient } = await startVpn(lab, [], /relayed/);
  t.ok(await isReachable(lab, VPN.bob), ends.bob.stderr);
  t.ok(await isReachable(lab, VPN.bob, 1369));
  await client.stop('SIGINT');
  const next = await startClient();
  t.ok(await isReachable(lab, VPN.bob), 'by a connection that begins while the device is up');
  await lab.exec('alice', 'ping', '-n', '-c', '10', '-W', '5', VPN.bob);
  t.notMatch(next.stderr, /packets go to .*(10\.77\.|fd77:)/, 'which does not go through the VPN itself');
});

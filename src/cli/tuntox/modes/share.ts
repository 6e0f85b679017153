/** `tuntox share`: a server for one target. The link that it prints is the only way in. */

import { systemClock } from '../../../base/clock.js';
import { hostAndPort } from '../../../base/endpoint.js';
import { demoted } from '../../../base/logger.js';
import { systemRandom } from '../../../base/random.js';
import { isNullDevice, OutputError, writeResult } from '../../../base/result-output.js';
import { countText, durationText } from '../../../base/units.js';
import type { ShareSettings } from '../../../config/classic-settings.js';
import { formatLink, localPortOf } from '../../../config/link.js';
import { newLinkSecret } from '../../../config/link-secret.js';
import { FixedFactors } from '../../../engine/access/access-factors.js';
import { AccessPolicy } from '../../../engine/access/access-policy.js';
import { onlyTarget } from '../../../engine/access/target-rules.js';
import { type ClientNews, connectionNews, followTunnels } from '../../../engine/server/client-news.js';
import { startEngine } from '../../../engine/start-engine.js';
import type { ServiceProcess } from '../../../platform/process/service-process.js';
import { qrLines } from '../../qr.js';
import { ClientReport } from '../client-report.js';
import type { Context } from '../context.js';
import { ExitStatus } from '../exit-status.js';
import { writeIdFile } from '../id-file.js';
import { namesOf } from '../setting-names.js';

export async function runShare(settings: ShareSettings, context: Context, service: ServiceProcess): Promise<number> {
  const { target, uses, directory, idFile } = settings;
  const { log, stdout, stopping, tell } = context;
  const fd = (stdout as { readonly fd?: number }).fd;
  if (!settings.service.isBackground && fd !== undefined && isNullDevice(fd)) {
    throw new OutputError('not-written', 'standard output is /dev/null or closed, so nobody would see the link');
  }
  const secret = newLinkSecret(systemRandom);
  const options = { secret: Buffer.from(secret), whitelist: [], isInsecureOpen: false, uses };
  const report = new ClientReport({ clock: systemClock, log });
  const onNews = (news: ClientNews): void => {
    report.tell(news);
    tell?.(news);
  };
  const engine = await startEngine(log, {
    settings,
    // The report tells what it would say.
    tunnelLog: demoted(log, 'info'),
    place: directory === undefined ? { kind: 'nowhere' } : { kind: 'directory', path: directory },
    names: namesOf(settings),
    isRelay: true,
    isLasting: true,
    policy: { mayReach: onlyTarget(target, 'what is shared') },
  });
  try {
    const id = engine.id.toString();
    if (idFile !== undefined) await writeIdFile(idFile, id);
    const policy = new AccessPolicy(new FixedFactors({ random: systemRandom }, options));
    engine.serve(policy, undefined, { log: demoted(log, 'info'), onEvent: connectionNews(onNews) });
    followTunnels(engine.tunnels, onNews);
    const link = formatLink({ serverId: engine.id, secret, target });
    if (tell !== undefined) tell({ event: 'sharing', toxId: id, link, target: hostAndPort(target) });
    else await writeResult(stdout, await invitation(settings, { id, secret, link, hasColour: context.hasColour }));
    await service.ready();
    await Promise.race([stopping.asked, ended(settings, context)]);
    await engine.tunnels.tellEnd('share-ended');
  } finally {
    await engine.stop();
    report.close();
  }
  return ExitStatus.Ok;
}

async function invitation(
  { target, uses, duration, hasQr, service }: ShareSettings,
  made: { readonly id: string; readonly secret: string; readonly link: string; readonly hasColour: boolean },
): Promise<string> {
  const limits = [
    ...(uses === undefined ? [] : [`for ${countText(uses, 'client')}`]),
    ...(duration === undefined ? [] : [`for ${durationText(duration)}`]),
    service.isBackground ? 'until its process is stopped' : 'until Ctrl-C',
  ];
  const { id, secret, link, hasColour } = made;
  const shared = hostAndPort(target);
  const forward = `${localPortOf(target)}:${shared}`;
  return [
    `Sharing ${shared} ${limits.join(', ')}. On the other machine, run:`,
    '',
    `  tuntox join ${link}`,
    '',
    'or, with the original tuntox:',
    '',
    `  tuntox -i ${id} -s ${secret} -L ${shared.includes('[') ? `'${forward}'` : forward}`,
    '',
    ...(hasQr ? [...(await qrLines(link, hasColour)), ''] : []),
    '',
  ].join('\n');
}

/** Resolves when the time of `--for` is over; never without it. */
function ended({ duration }: ShareSettings, { log }: Context): Promise<void> {
  if (duration === undefined) return new Promise(() => {});
  return new Promise((resolve) => {
    systemClock.after(duration, () => {
      log.info('the time of this share is over');
      resolve();
    });
  });
}

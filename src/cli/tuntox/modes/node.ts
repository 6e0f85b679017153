/** `tuntox --node`: a bootstrap node for a private network. It has no Tox ID and no tunnels. */
import { writeResult } from '../../../base/result-output.js';
import type { NodeSettings } from '../../../config/classic-settings.js';
import { startNode } from '../../../engine/start-node.js';
import type { ServiceProcess } from '../../../platform/process/service-process.js';
import type { Context } from '../context.js';
import { ExitStatus } from '../exit-status.js';
import { FLAG_NAMES } from '../setting-names.js';

export async function runNode(settings: NodeSettings, context: Context, service: ServiceProcess): Promise<number> {
  const { log, stdout, stopping } = context;
  const node = await startNode(log, settings, FLAG_NAMES);
  try {
    const entry = `${node.port}:${node.publicKey.hex}`;
    log.info(`to bootstrap from this node: --bootstrap HOST:${entry}`);
    await writeResult(stdout, `${entry}\n`);
    await service.ready();
    await stopping.asked;
  } finally {
    await node.stop();
  }
  return ExitStatus.Ok;
}

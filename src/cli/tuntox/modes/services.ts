/** `tuntox NAME` alone: what the host offers. */
import { writeResult } from '../../../base/result-output.js';
import { type ServicesSettings, serverName } from '../../../config/classic-settings.js';
import { localPortOf } from '../../../config/link.js';
import type { Remote } from '../../../engine/agent/agent-remote.js';
import type { Context } from '../context.js';
import { ExitStatus } from '../exit-status.js';

export async function listServices(settings: ServicesSettings, server: Remote, context: Context): Promise<number> {
  return context.stopping.orStatusOf(
    server.services().then(async (services) => {
      const name = serverName(settings);
      if (context.tell === undefined) await writeResult(context.stdout, textOf(name, services));
      else context.tell({ event: 'services', services: services === undefined ? null : [...services] });
      return ExitStatus.Ok;
    }),
  );
}

function textOf(name: string, services: Awaited<ReturnType<Remote['services']>>): string {
  if (services === undefined || services.length === 0) {
    const why = services === undefined ? 'is an original tuntox, which has no' : 'offers no';
    return `${name} ${why} services.\n-L PORT:HOST:PORT and -W HOST:PORT reach a target that it allows.\n`;
  }
  const width = Math.max(...services.map((service) => service.name.length), 'SERVICE'.length);
  const rows = services.map((service) => `${service.name.padEnd(width)}  ${portText(service)}`);
  const [{ name: first, port, protocol } = { name: '', port: 0, protocol: undefined }] = services;
  const udp = protocol === 'udp' ? 'udp:' : '';
  const forward = `tuntox ${name} -L ${udp}${localPortOf({ host: first, port }) || 8080}:${first}`;
  return [`${'SERVICE'.padEnd(width)}  PORT`, ...rows, '', `To open a local port: ${forward}`, ''].join('\n');
}

const portText = ({ port, protocol }: NonNullable<Awaited<ReturnType<Remote['services']>>>[number]): string => {
  if (protocol === 'unix') return 'Unix socket';
  return protocol === 'udp' ? `udp ${port}` : String(port);
};

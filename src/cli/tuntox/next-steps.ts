/** What to type after a host was stored: only what the host allows, as far as that is known. Pure. */
import { targetText } from '../../base/endpoint.js';
import type { TargetText } from '../../config/formats.js';
import { localPortOf } from '../../config/link.js';

const SSH = 'ssh';
const SSH_PORT = 22;
const LOCAL = ['127.0.0.1', 'localhost'];

interface Facts {
  readonly name: string;
  /** What the link is for; undefined if it says nothing. */
  readonly target: TargetText | undefined;
  /** What the host offers; empty if it has no services, or did not say. */
  readonly services: readonly { readonly name: string; readonly port: number }[];
}

export function nextSteps(facts: Facts): string {
  const { name } = facts;
  const commands = [
    ...(maySsh(facts) ? ([[`tuntox ssh ${name}`, 'log in there']] as const) : []),
    [`tuntox ${name}`, 'list what it offers'],
    [`tuntox ${name} -L ${exampleOf(facts)}`, 'forward a port'],
  ] as const;
  const width = Math.max(...commands.map(([command]) => command.length));
  return [
    `${name} is stored. Now you can run:`,
    '',
    ...commands.map(([command, about]) => `  ${command.padEnd(width)}   ${about}`),
    '',
    '',
  ].join('\n');
}

/** A link for another target does not allow the sshd, and a host with services perhaps has none for it. */
function maySsh({ target, services }: Facts): boolean {
  if (services.length > 0) return services.some(({ name }) => name === SSH);
  if (target === undefined) return true;
  return target.port === 0 ? target.host === SSH : target.port === SSH_PORT && LOCAL.includes(target.host);
}

function exampleOf({ target, services }: Facts): string {
  const service =
    services.find(({ name }) => name === target?.host) ?? services.find(({ name }) => name !== SSH) ?? services[0];
  if (service !== undefined) return `${localPortOf({ host: service.name, port: service.port })}:${service.name}`;
  if (target === undefined) return '8080:127.0.0.1:80';
  return `${target.port > 0 ? localPortOf(target) : 8080}:${targetText(target)}`;
}

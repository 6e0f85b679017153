/** `-L`, `-D`, `-R`: forwards until a signal comes, the search for the server is given up, or nobody uses them. */
import { systemClock } from '../../../base/clock.js';
import { CodedError } from '../../../base/coded-error.js';
import { targetText } from '../../../base/endpoint.js';
import { placeText } from '../../../base/local-place.js';
import type { ForwardSettings } from '../../../config/classic-settings.js';
import type { ForwardText } from '../../../config/forward-text.js';
import type { Remote } from '../../../engine/agent/agent-remote.js';
import type { ServiceProcess } from '../../../platform/process/service-process.js';
import type { ListenDescriptor } from '../../../platform/service-manager/listen-descriptors.js';
import type { Context } from '../context.js';
import { ExitStatus } from '../exit-status.js';
import { whenIdle } from '../idle-watch.js';
import type { NewsEvent } from '../json-events.js';
import { followPort } from './reverse.js';

type ForwardSpec = Parameters<Remote['forward']>[0];
type Forward = Awaited<ReturnType<Remote['forward']>>;

/** The message says what to do. */
export class DescriptorError extends CodedError<'no-descriptor'> {}

/** @throws DescriptorError, and what a forward throws that cannot be opened */
export async function forward(
  settings: ForwardSettings,
  server: Remote,
  context: Context,
  service?: ServiceProcess,
): Promise<number> {
  // The places are opened before the server is found: connections wait, and a port in use is reported now.
  const specs = specsOf(settings.forwards, context.descriptors);
  const forwards: Forward[] = [];
  const refusals: Promise<never>[] = [];
  for (const spec of specs) {
    const opened = await openPlace(settings, spec, server, context);
    const tell = (): void => context.tell?.(listeningEvent(opened));
    if (opened.remote === undefined) tell();
    else refusals.push(followPort(opened, context.log, tell));
    forwards.push(opened);
  }
  await service?.ready();
  const { idleTimeout } = settings;
  const endsOfUse = idleTimeout === undefined ? [] : [endOfUse(forwards, idleTimeout, context)];
  return context.stopping.orStatusOf(Promise.race([server.givenUp, ...refusals, ...endsOfUse]));
}

async function endOfUse(forwards: readonly Forward[], idleTimeout: number, { log }: Context): Promise<number> {
  await whenIdle(systemClock, forwards, idleTimeout);
  log.info('nobody has used the forwards for the time of --idle-timeout: stopping');
  return ExitStatus.Ok;
}

/** Begins to forward; after `tuntox join` at any other port if the first one is in use. */
async function openPlace(
  { mayMovePorts }: ForwardSettings,
  spec: ForwardSpec,
  server: Remote,
  { log }: Context,
): Promise<Forward> {
  try {
    return await server.forward(spec);
  } catch (error) {
    const isTaken = error instanceof CodedError && error.code === 'address-in-use';
    if (!mayMovePorts || !isTaken || spec.kind === 'dynamic' || spec.at.kind !== 'port') throw error;
    log.warn(`port ${spec.at.port} is in use on this machine, so another one is opened; -L chooses it`);
    return server.forward({ ...spec, at: { ...spec.at, port: 0 } });
  }
}

/** Finds the descriptors that the texts name. @throws DescriptorError */
export function specsOf(texts: readonly ForwardText[], descriptors: readonly ListenDescriptor[]): ForwardSpec[] {
  const unused = [...descriptors];
  const take = (name: string | undefined): ListenDescriptor => {
    const index = name === undefined ? 0 : unused.findIndex((one) => one.name === name);
    const [taken] = index < 0 ? [] : unused.splice(index, 1);
    if (taken === undefined) throw new DescriptorError('no-descriptor', explain(name, descriptors));
    return taken;
  };
  // Those with a name first: the others get what is left, in order.
  const isNamed = ({ at }: ForwardText): boolean => at.kind === 'descriptor' && at.name !== undefined;
  const taken = new Map<ForwardText, ListenDescriptor>();
  for (const text of [...texts.filter(isNamed), ...texts.filter((one) => !isNamed(one))]) {
    if (text.at.kind === 'descriptor') taken.set(text, take(text.at.name));
  }
  return texts.map((text) => {
    const descriptor = taken.get(text);
    return (descriptor === undefined ? text : { ...text, at: { kind: 'descriptor', ...descriptor } }) as ForwardSpec;
  });
}

function explain(name: string | undefined, descriptors: readonly ListenDescriptor[]): string {
  const wanted = name === undefined ? 'fd' : `fd/${name}`;
  if (descriptors.length === 0) {
    return `${wanted}: systemd has passed no socket to this process: start it by a .socket unit, or with systemd-socket-activate -l`;
  }
  const names = descriptors.map((one) => one.name).join(', ');
  return name === undefined
    ? `${wanted}: there are more forwards than sockets of systemd (${names})`
    : `${wanted}: systemd has passed no socket of this name, or another forward has it; there are: ${names}`;
}

function listeningEvent({ spec, at, port }: Forward): NewsEvent {
  const address = at.kind === 'port' ? (at.bind ?? '*') : placeText(at);
  const target = spec.kind === 'dynamic' || spec.target === undefined ? null : targetText(spec.target);
  return { event: 'listening', kind: spec.kind, address, port, target };
}

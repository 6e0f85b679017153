/** The command `tuntox`: help, version and usage errors, and its exit status. */
import { systemClock } from '../../base/clock.js';
import { CodedError } from '../../base/coded-error.js';
import { fitted } from '../../base/columns.js';
import { ownVersion } from '../../base/own-files.js';
import { errorReport } from '../../base/program-error.js';
import { OutputError, writeResult } from '../../base/result-output.js';
import type { LastingSettings } from '../../config/classic-settings.js';
import type { Host } from '../../engine/client/host-entry.js';
import { lockFile } from '../../engine/state/file-lock.js';
import { isInBackground } from '../../platform/process/background.js';
import { hasForwardingParent } from '../../platform/process/parent-process.js';
import { runAs } from '../../platform/process/service-process.js';
import { userToBecome } from '../../platform/process/user.js';
import type { ListenDescriptor } from '../../platform/service-manager/listen-descriptors.js';
import { COMMANDS } from './commands.js';
import { ExitStatus } from './exit-status.js';
import { type CommandLine, hostNameOf, readCommandLine } from './flags.js';
import { helpOf } from './help.js';
import { findHost, findHostOrCommand } from './hosts.js';
import { CHOICES } from './option-table.js';
import type { OptionName } from './options.js';
import { UsageError } from './usage-error.js';

/** The version of the tunnel protocol; upstream prints it too. */
const PROTOCOL_VERSION = 2;

/** Commands that have no settings of a run: they start no engine. */
const LOCAL = {
  list: async () => (await import('./modes/list.js')).runList,
  forget: async () => (await import('./modes/forget.js')).runForget,
  id: async () => (await import('./modes/id.js')).runId,
  ssh: async () => (await import('./modes/ssh.js')).runSsh,
  'ssh-config': async () => (await import('./modes/ssh-config.js')).runSshConfig,
} as const;

/** What the running agent is asked. */
const AGENT_ANSWERS: readonly (string | undefined)[] = ['status', 'stop'];

/** Returns the host that a command names; undefined for commands without one. */
async function hostOf(
  { form, arguments: [name = ''] }: CommandLine,
  environment: NodeJS.ProcessEnv,
): Promise<Host | undefined> {
  return form === 'ping' || form === 'speed' ? findHost(name, environment) : undefined;
}

/**
 * @param descriptors that the service manager passed
 * @param keepCompiled makes the next start faster (`platform/runtime/code-cache`)
 * @returns the exit status; never throws
 */
export async function main(
  process: NodeJS.Process,
  descriptors: readonly ListenDescriptor[],
  keepCompiled: () => Promise<void> = async () => {},
): Promise<number> {
  try {
    const words = process.argv.slice(2);
    const name = hostNameOf(words);
    const host = name === undefined ? undefined : await findHostOrCommand(name, process.env);
    const line = readCommandLine(words);
    const given = (name: OptionName) => line.flags.find(({ flag }) => flag === name);
    const help = given('--help');
    if (help !== undefined) await writeResult(process.stdout, helpOf(line.form, help.written));
    else if (given('--version') !== undefined) {
      await writeResult(process.stdout, `tuntox ${ownVersion()}, protocol version ${PROTOCOL_VERSION}\n`);
    } else if (Object.hasOwn(LOCAL, line.form)) {
      return await (await LOCAL[line.form as keyof typeof LOCAL]())(line, process);
    } else if (line.form === 'agent' && AGENT_ANSWERS.includes(line.arguments[0])) {
      const { agentStatus, stopAgent } = await import('./modes/agent-commands.js');
      return await (line.arguments[0] === 'status' ? agentStatus(process) : stopAgent(process));
    } else {
      // Loaded late: the Tox stack takes longer to load than help takes to print.
      const { settingsOf } = await import('./settings.js');
      const settings = settingsOf(
        await withLink(line, process),
        process.env,
        host ?? (await hostOf(line, process.env)),
      );
      if (settings.mode === 'agent' && settings.service.isBackground && !isInBackground(process)) {
        const { startAgentByHand } = await import('./modes/agent-commands.js');
        return await startAgentByHand(process, settings, line.flags);
      }
      const isForwarded = hasForwardingParent(process);
      const status = 'service' in settings ? await runAsUser(process, settings) : undefined;
      if (status !== undefined) return status;
      const mayColour = given('--no-color') === undefined;
      const { agentRoute } = await import('./agent/agent-route.js');
      const route = await agentRoute(process, settings, line.flags);
      const { isLight, runByAgent } = await import('./agent/run-by-agent.js');
      if (route !== undefined && isLight(settings)) {
        return await runByAgent(process, settings, { route, mayColour, descriptors });
      }
      // The agent knows the network of its user itself.
      const { withUserNetwork } = await import('./user-network.js');
      const used = route === undefined ? await withUserNetwork(settings, line.flags, process.env) : settings;
      const { run } = await import('./run.js');
      return await run(process, used, { isForwarded, mayColour, route, descriptors, keepCompiled });
    }
    return ExitStatus.Ok;
  } catch (error) {
    if (error instanceof OutputError && error.code === 'closed-pipe') return ExitStatus.ClosedPipe;
    process.stderr.write(`${fitted(`tuntox: ${textOf(error, process)}`, process.stderr)}\n`);
    await tellError(error, process);
    return error instanceof UsageError ? ExitStatus.Usage : ExitStatus.Failed;
  }
}

/**
 * The link of `join` contains a secret. With `-` it is read from standard input; otherwise it disappears from the process list
 * here, a moment after the start.
 * @throws UsageError
 */
async function withLink(line: CommandLine, process: NodeJS.Process): Promise<CommandLine> {
  const { form, flags } = line;
  if (form !== 'join') return line;
  const [written, ...others] = line.arguments;
  if (written !== '-') {
    process.title = 'tuntox join';
    return line;
  }
  const background = flags.find(({ flag }) => flag === '--background');
  if (background !== undefined) {
    throw new UsageError(
      `join - reads standard input, which is closed in the background: remove ${background.written}`,
    );
  }
  const { LinkStream, readLink } = await import('./link-input.js');
  const input = new LinkStream(process.stdin, systemClock);
  try {
    const link = await readLink(input, (text) => process.stderr.write(text));
    return { ...line, arguments: [link, ...others] };
  } finally {
    input.close();
  }
}

/** The last event of `--json`; with -W standard output is for the stream. */
async function tellError(error: unknown, process: NodeJS.Process): Promise<void> {
  const { argv, stdout, stderr } = process;
  if (!argv.includes('--json')) return;
  const { JsonEvents } = await import('./json-events.js');
  // The command line may not be readable.
  const isPipe = argv.some((word) => /^-[WP]/.test(word) || CHOICES.pipe.some((name) => word.startsWith(name)));
  const code = error instanceof CodedError ? error.code : 'failed';
  const events = new JsonEvents({ clock: systemClock, stream: isPipe ? stderr : stdout });
  events.tell({ event: 'error', code, message: textOf(error, process) });
}

function textOf(error: unknown, { argv, env }: NodeJS.Process): string {
  if (error instanceof UsageError) {
    const command = COMMANDS.find(({ name }) => name === argv[2]);
    return `${error.message} (see tuntox ${command === undefined ? '--help' : `help ${command.name}`})`;
  }
  // Every expected error has a code of ours. Any other is a bug, and is reported with its place.
  return error instanceof CodedError ? error.message : errorReport(error, env);
}

/** @returns the exit status of the command as another user (`-U`); undefined if this process continues */
async function runAsUser(
  process: NodeJS.Process,
  { service, udpPorts, relayPort }: LastingSettings,
): Promise<number | undefined> {
  const user = userToBecome(service.user, process);
  if (user === undefined) return undefined;
  return runAs(process, user, { ...service, lockFile, ports: [udpPorts?.first, relayPort], groupId: undefined });
}

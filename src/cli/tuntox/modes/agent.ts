/** `tuntox agent`: holds the user's identity and its connections, for all commands that name a host. */
import { existsSync } from 'node:fs';
import type { AgentPlaces } from '../../../agent/socket-file.js';
import { pause, systemClock, type Timer } from '../../../base/clock.js';
import type { Logger } from '../../../base/logger.js';
import { ownVersion } from '../../../base/own-files.js';
import { systemRandom } from '../../../base/random.js';
import { countText, durationText } from '../../../base/units.js';
import { userDirectories } from '../../../base/user-directories.js';
import type { AgentSettings } from '../../../config/classic-settings.js';
import { AgentServer } from '../../../engine/agent/agent-server.js';
import { ServerPool } from '../../../engine/client/server-pool.js';
import type { Engine } from '../../../engine/engine.js';
import { startEngine } from '../../../engine/start-engine.js';
import type { SettingNames } from '../../../engine/state/setting-names.js';
import { StateFileError } from '../../../engine/state/state-file-error.js';
import type { ServiceProcess } from '../../../platform/process/service-process.js';
import { SocketUpkeep } from '../../../platform/socket-upkeep.js';
import { placesOf } from '../agent/agent-paths.js';
import type { Context, StartContext } from '../context.js';
import { ExitStatus } from '../exit-status.js';
import { namesOf } from '../setting-names.js';
import { askAgent } from './agent-commands.js';

const NAMES: Partial<SettingNames> = { directory: 'XDG_STATE_HOME', whenInUse: 'wait until it ends' };
/** Attempts to take the identity, each a second after the last: a process that has it creates a deleted socket again within 10 s. */
const ATTEMPTS = 12;
/** ms */
const PATIENCE = 1_000;
const PAUSE = 100;
/** ms between looks for the identity: an agent whose user, or whose files, were removed ends. */
const IDENTITY_CHECK = 5_000;

export async function runAgent(
  settings: AgentSettings,
  context: StartContext,
  service: ServiceProcess,
): Promise<number> {
  const { log, environment } = context;
  const places = placesOf(environment);
  const engine = await engineOfUser(settings, context, places);
  if (engine === undefined) {
    log.info('an agent of this identity is running already');
    await service.ready();
    return ExitStatus.Ok;
  }
  try {
    return await serve(settings, engine, { ...context, places }, service);
  } finally {
    await engine.stop();
    await context.compiled.end();
  }
}

/**
 * Another process may have the identity: an agent that another command has started at the same time, a daemon of this user, or an agent
 * that has closed its socket and is about to end.
 * @returns undefined if it answers @throws StateFileError `in-use` if it does neither; what startEngine throws
 */
async function engineOfUser(
  settings: AgentSettings,
  { log, environment }: Context,
  places: AgentPlaces,
): Promise<Engine | undefined> {
  for (let left = ATTEMPTS; ; left -= 1) {
    try {
      return await startEngine(log, {
        settings,
        place: { kind: 'directory', path: userDirectories(environment).state },
        names: { ...namesOf(settings), ...NAMES },
        isRelay: false,
        isLasting: true,
      });
    } catch (error) {
      if (!(error instanceof StateFileError) || error.code !== 'in-use' || left === 0) throw error;
    }
    if (await isAnswered(places)) return undefined;
  }
}

/** Asks for a while. */
async function isAnswered(places: AgentPlaces): Promise<boolean> {
  for (let left = PATIENCE / PAUSE; left > 0; left -= 1) {
    if ((await askAgent(places, { ask: 'status' })) !== undefined) return true;
    await pause(systemClock, PAUSE);
  }
  return false;
}

/** Listens until it is stopped, or nobody has used it for a while. */
async function serve(
  { idleTimeout, networkOptions }: AgentSettings,
  engine: Engine,
  { log, places, stopping, compiled }: StartContext & { readonly places: AgentPlaces },
  service: ServiceProcess,
): Promise<number> {
  const end = new IdleEnd(log, idleTimeout);
  const idleTime = idleTimeout ?? NEVER;
  const pool = new ServerPool(
    {
      clock: systemClock,
      connect: (id, secret, name) => {
        const server = engine.connect(id, secret, name === undefined ? {} : { name });
        compiled.follow(server);
        return server;
      },
    },
    { idleTime },
  );
  const server = new AgentServer(
    {
      clock: systemClock,
      random: systemRandom,
      log,
      pool,
      stop: (when) => end.ask(when),
      onUsers: (count) => end.onUsers(count),
    },
    {
      places,
      program: `tuntox ${ownVersion()}`,
      pid: process.pid,
      ownKey: engine.id.publicKey,
      options: networkOptions,
    },
  );
  await server.start();
  const upkeep = new SocketUpkeep({ clock: systemClock, log }, [server]);
  const check = systemClock.every(IDENTITY_CHECK, () => {
    if (engine.statePath !== undefined && !existsSync(engine.statePath)) end.onIdentityGone(engine.statePath);
  });
  try {
    log.info(`the agent listens on ${server.path}, as ${engine.id.publicKey.short}`);
    await service.ready();
    end.onUsers(0);
    await Promise.race([stopping.asked, end.ended]);
    return ExitStatus.Ok;
  } finally {
    check.cancel();
    upkeep.stop();
    end.close();
    server.close();
    pool.close();
  }
}

/** ms; the longest timer of a pool that never ends a connection. */
const NEVER = 365 * 24 * 3_600_000;

/** Decides when the agent ends. */
class IdleEnd {
  readonly #log: Logger;
  readonly #timeout: number | undefined;
  #users = 0;
  #isEndingWhenIdle = false;
  #timer: Timer | undefined;
  #onEnd: () => void = () => {};
  readonly ended: Promise<void>;

  /** @param timeout ms without users; undefined: without end */
  constructor(log: Logger, timeout: number | undefined) {
    this.#log = log;
    this.#timeout = timeout;
    this.ended = new Promise((resolve) => {
      this.#onEnd = resolve;
    });
  }

  ask(when: 'now' | 'idle'): undefined {
    const isNow = when === 'now' || this.#users === 0;
    this.#log.info(isNow ? 'a command ends the agent' : 'a command ends the agent as soon as nobody uses it');
    this.#isEndingWhenIdle = true;
    if (isNow) systemClock.soon(this.#onEnd);
  }

  onUsers(count: number): void {
    this.#users = count;
    this.#timer?.cancel();
    this.#timer = undefined;
    if (count > 0) {
      this.#log.debug(`${countText(count, 'client')}`);
      return;
    }
    if (this.#isEndingWhenIdle) this.#onEnd();
    else if (this.#timeout !== undefined)
      this.#timer = systemClock.after(this.#timeout, () => this.#onIdle(this.#timeout ?? 0));
  }

  onIdentityGone(path: string): void {
    this.#log.warn(`${path} was removed: the agent ends`);
    this.#onEnd();
  }

  close(): void {
    this.#timer?.cancel();
  }

  #onIdle(time: number): void {
    this.#log.info(`nobody has used the agent for ${durationText(time)}: it ends`);
    this.#onEnd();
  }
}

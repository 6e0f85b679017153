/** A daemon over fake Tox stacks, asked by a real client of its control socket, so that every answer is held against the schema. */

import { writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import type { Test } from 'tap';
import { type Clock, systemClock } from '../../../src/base/clock.js';
import { type Logger, silentLogger } from '../../../src/base/logger.js';
import { loadSettings } from '../../../src/config/daemon-settings.js';
import { ControlClient } from '../../../src/control/client.js';
import type { Loaded } from '../../../src/daemon/configuration.js';
import { Daemon, type DaemonOptions } from '../../../src/daemon/daemon.js';
import { DaemonLog } from '../../../src/daemon/daemon-log.js';
import { anyTarget, noTarget } from '../../../src/engine/access/target-rules.js';
import type { RemoteServer } from '../../../src/engine/client/remote-server.js';
import { Engine } from '../../../src/engine/engine.js';
import type { EngineOptions } from '../../../src/engine/start-engine.js';
import { type FileSystem, nodeFileSystem } from '../../../src/engine/state/file-system.js';
import { Identity } from '../../../src/engine/state/identity.js';
import { generateKeyPair } from '../../../src/tox/crypto/key-pair.js';
import { ToxId } from '../../../src/tox/crypto/tox-id.js';
import { encodeSavedata } from '../../../src/tox/savedata.js';
import type { BootstrapAddress } from '../../../src/tox/tox.js';
import type { MayReach } from '../../../src/tunnel/server/request-handler.js';
import { TunnelService } from '../../../src/tunnel/tunnel-service.js';
import { FakeStack } from '../../engine/support/fake-stacks.js';
import { NAMES } from '../../engine/support/names.js';
import { systemError } from '../../support/failing-file-system.js';
import { PATIENCE } from '../../support/processes.js';
import { SeededRandom } from '../../support/seeded-random.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

const random = new SeededRandom(44);
/** For the default nodes, and never asked: the stack is not a real one. */
const NOBODY: BootstrapAddress = { host: '192.0.2.1', port: 33445, publicKey: generateKeyPair(random).publicKey };

export interface TestClient {
  readonly engine: Engine;
  readonly id: string;
  /** As the protocol has it. */
  readonly key: string;
  /** Looks for the daemon from now on. */
  connect(secret?: string): RemoteServer;
  /** Opens a tunnel and sees it answer once. @returns what comes and goes through it */
  tunnel(server: RemoteServer, port: number, host?: string): Promise<Tunnel>;
}

export interface Tunnel {
  readonly stdin: PassThrough;
  /** Settles when it is over. */
  readonly over: Promise<unknown>;
}

/** Everything but `createNew` is real; a `fault` is what that throws. */
export class FullDisk implements FileSystem {
  fault: string | undefined;
  readonly makeDirectory = nodeFileSystem.makeDirectory;
  readonly status = nodeFileSystem.status;
  readonly realPath = nodeFileSystem.realPath;
  readonly read = nodeFileSystem.read;
  readonly rename = nodeFileSystem.rename;
  readonly remove = nodeFileSystem.remove;
  readonly openOrCreate = nodeFileSystem.openOrCreate;
  readonly openToRead = nodeFileSystem.openToRead;
  readonly createNew: FileSystem['createNew'] = async (...args) => {
    if (this.fault !== undefined) throw systemError(this.fault);
    return nodeFileSystem.createNew(...args);
  };
}

interface Parts {
  readonly daemon: Daemon;
  readonly stop: () => Promise<void>;
  readonly stack: FakeStack;
  readonly control: ControlClient;
  readonly disk: FullDisk;
  readonly directory: string;
  readonly said: string[];
  readonly network: Map<string, FakeStack>;
}

export class TestDaemon {
  readonly daemon: Daemon;
  /** Stops the daemon, once; the end of the test does so too. */
  readonly stop: () => Promise<void>;
  readonly stack: FakeStack;
  readonly control: ControlClient;
  readonly disk: FullDisk;
  readonly directory: string;
  readonly said: string[];
  readonly #t: Test;
  readonly #network: Map<string, FakeStack>;

  private constructor(t: Test, parts: Parts) {
    this.#t = t;
    this.daemon = parts.daemon;
    this.stop = parts.stop;
    this.stack = parts.stack;
    this.control = parts.control;
    this.disk = parts.disk;
    this.directory = parts.directory;
    this.said = parts.said;
    this.#network = parts.network;
  }

  /** @param options.config more of the configuration file; `state` what is in the state directory before, by name */
  static async start(
    t: Test,
    options: {
      readonly config?: string;
      readonly state?: Readonly<Record<string, string>>;
      readonly clock?: Clock;
      readonly environment?: Readonly<Record<string, string>>;
      readonly directory?: string;
      readonly agent?: DaemonOptions['agent'];
    } = {},
  ): Promise<TestDaemon> {
    const { clock = systemClock, environment = {}, directory = temporaryDirectory(t) } = options;
    for (const [name, text] of Object.entries(options.state ?? {})) writeFileSync(join(directory, name), text);
    const file = join(directory, 'tuntox.yaml');
    const base = `state_dir: ${directory}\nsocket:\n  path: ${join(directory, 'tuntoxd.sock')}\n`;
    writeFileSync(file, base + (options.config ?? ''));
    const load = (): Loaded => loadSettings({ configFile: file, flags: [], environment });
    const said: string[] = [];
    const stream = new PassThrough();
    stream.on('data', (bytes: Buffer) => said.push(bytes.toString()));
    const loaded = load();
    const logging = new DaemonLog({ clock, stream, environment }, loaded.settings.log);
    const disk = new FullDisk();
    const network = new Map<string, FakeStack>();
    let stack: FakeStack | undefined;
    const startEngine = async (
      log: Logger,
      { policy = {}, names, place, settings }: EngineOptions,
    ): Promise<Engine> => {
      const identity = await Identity.open({ random, log }, place, names);
      const { publicKey, nospam } = identity.savedata.identity;
      stack = new FakeStack(network, new ToxId(publicKey, nospam), encodeSavedata(identity.savedata));
      const tunnels = new TunnelService({ clock: systemClock, random, log, policy });
      const nodes = settings.nodes ?? [NOBODY];
      const engine = new Engine({ clock, random, log, tox: stack, tunnels, identity }, { nodes, names });
      await engine.start();
      return engine;
    };
    const { logger: log } = logging;
    const memory = (): number => 50_000_000;
    const deps = { clock, random, log, logging, files: disk, environment, startEngine, load, memory };
    const { agent } = options;
    const daemon = await Daemon.start(deps, loaded, {
      version: '1.2.3',
      pid: 7,
      groupId: process.getgid?.(),
      agent,
    });
    let stopped: Promise<void> | undefined;
    const stop = (): Promise<void> => {
      stopped ??= daemon.stop();
      return stopped;
    };
    t.teardown(stop);
    const path = loaded.settings.socket.path;
    const control = await ControlClient.connect(systemClock, { path, client: 'test', timeout: PATIENCE });
    t.teardown(() => control.close());
    return new TestDaemon(t, { daemon, stop, stack: stack as FakeStack, control, disk, directory, said, network });
  }

  get call(): ControlClient['call'] {
    return this.control.call.bind(this.control);
  }

  /** In the network, and so without the warning that it is not. */
  goOnline(): void {
    this.stack.networkFacts = {
      ...this.stack.networkFacts,
      isOnline: true,
      udp: 'works',
      bootstrapNodes: { known: 1, answering: 1, unresolved: [] },
    };
    this.stack.setOnline(true);
  }

  /** Writes the configuration again. */
  configure(config: string): void {
    const base = `state_dir: ${this.directory}\nsocket:\n  path: ${join(this.directory, 'tuntoxd.sock')}\n`;
    writeFileSync(join(this.directory, 'tuntox.yaml'), base + config);
  }

  get random(): SeededRandom {
    return random;
  }

  /** Another peer in the network, whose clients reach everything. */
  async server(): Promise<{ readonly engine: Engine; readonly id: string }> {
    const engine = await this.#peer(anyTarget);
    return { engine, id: engine.id.toString() };
  }

  async client(): Promise<TestClient> {
    const engine = await this.#peer(noTarget);
    return {
      engine,
      id: engine.id.toString(),
      key: engine.id.publicKey.hex.toLowerCase(),
      connect: (secret) =>
        engine.connect(this.daemon.engine.id, secret === undefined ? undefined : Buffer.from(secret)),
      tunnel: (server, port, host = '127.0.0.1') => openTunnel(server, { host, port }),
    };
  }

  async #peer(mayReach: MayReach): Promise<Engine> {
    const clock = systemClock;
    const log = silentLogger;
    const identity = await Identity.open({ random, log }, { kind: 'nowhere' }, NAMES);
    const { publicKey, nospam } = identity.savedata.identity;
    const tox = new FakeStack(this.#network, new ToxId(publicKey, nospam), encodeSavedata(identity.savedata));
    const tunnels = new TunnelService({ clock, random, log, policy: { mayReach } });
    const engine = new Engine({ clock, random, log, tox, tunnels, identity }, { nodes: [], names: NAMES });
    await engine.start();
    this.#t.teardown(() => engine.stop());
    return engine;
  }
}

async function openTunnel(server: RemoteServer, target: { host: string; port: number }): Promise<Tunnel> {
  const streams = { stdin: new PassThrough(), stdout: new PassThrough() };
  const over = server.pipe(target, streams).then(
    () => 'ended',
    (error: unknown) => error,
  );
  streams.stdin.write('hello');
  await Promise.race([
    new Promise((resolve) => streams.stdout.once('data', resolve)),
    over.then((how) => Promise.reject(how instanceof Error ? how : new Error(String(how)))),
  ]);
  streams.stdout.resume();
  return { stdin: streams.stdin, over };
}

/** Lets everything that is under way between fake stacks arrive. */
export async function settle(): Promise<void> {
  for (let count = 0; count < 20; count += 1) await setImmediate();
}

/** A service that says everything back; resolves to its port. */
export function startEcho(t: Test): Promise<number> {
  const sockets = new Set<Socket>();
  const service = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  t.teardown(() => {
    service.close();
    for (const socket of sockets) socket.destroy();
  });
  return new Promise((resolve) => {
    service.listen(0, '127.0.0.1', () => resolve((service.address() as { port: number }).port));
  });
}

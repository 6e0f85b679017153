/**
 * A server or a node as another user, where this Node cannot become it: what root has to make, open and read comes first; then a
 * process of that user's goes on from the beginning.
 */
import { closeSync, constants, existsSync, fstatSync, lchownSync, openSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { silentLogger } from '../../base/logger.js';
import { systemRandom } from '../../base/random.js';
import type { NodeSettings, ServerSettings } from '../../config/classic-settings.js';
import { lockFile } from '../../engine/file-lock.js';
import { makeDirectories, nodeFileSystem } from '../../engine/file-system.js';
import { lockPathOf, NODE_KEY, TOX_SAVE } from '../../engine/state-file.js';
import { goIntoBackground } from '../../platform/background.js';
import { Bequest } from '../../platform/bequest.js';
import { giveFilesIn } from '../../platform/ownership.js';
import { PidFile } from '../../platform/pid-file.js';
import type { User } from '../../platform/privileges.js';
import { Setpriv, waitForSuccessor } from '../../platform/successor.js';
import { USUAL_DIRECTORY } from './service.js';

type Settings = ServerSettings | NodeSettings;

const DIRECTORY_MODE = 0o700;
const LOCK_MODE = 0o600;
const ID_FILE_MODE = 0o644;

/** @returns the exit status @throws CodedErrors that say why it did not work */
export async function startSuccessor(process: NodeJS.Process, settings: Settings, user: User): Promise<number> {
  const { service, udpPorts, relayPort } = settings;
  const setpriv = new Setpriv(user, { ports: [udpPorts?.first, relayPort], groupId: undefined });
  const bequest = new Bequest();
  if (service.pidFile !== undefined) {
    bequest.addDescriptor(service.pidFile, PidFile.create(service.pidFile, process.pid, lockFile).giveAway());
  }
  await leaveState(bequest, settings, { setpriv, user });
  const secret = settings.secret.from === 'file' ? settings.secret.path : undefined;
  const rules = settings.mode === 'server' ? settings.rulesFile : undefined;
  for (const path of [secret, rules, settings.nodesFile]) if (path !== undefined) bequest.addFile(path);
  const { idFile } = settings;
  if (idFile !== undefined && !mayReplace(setpriv, idFile)) leaveIdFile(bequest, idFile);
  const launch = setpriv.launch(process, bequest, service);
  return service.isBackground ? goIntoBackground(process, launch) : waitForSuccessor(process, launch);
}

/** The directory of the identity, or of a node's key, is the user's, or root opens it for the user. */
async function leaveState(
  bequest: Bequest,
  settings: Settings,
  { setpriv, user }: { readonly setpriv: Setpriv; readonly user: User },
): Promise<void> {
  const directory = settings.directory ?? (settings.mode === 'server' ? USUAL_DIRECTORY : undefined);
  if (directory === undefined) return;
  if (!existsSync(directory)) {
    if (settings.directory === undefined) return;
    makeDirectories(directory, DIRECTORY_MODE);
    lchownSync(directory, user.uid, user.gid);
  }
  const isWritable = setpriv.may('-w', directory);
  if (isWritable) giveFilesIn(directory, user);
  // It may be a directory of several users, with a file of root's.
  const state = join(directory, settings.mode === 'node' ? NODE_KEY : TOX_SAVE);
  if (!isWritable || (existsSync(state) && !setpriv.may('-r', state))) {
    await openState(bequest, settings, { directory, state });
  }
}

/** As the user could not: what is there, or what has to be made, with the lock. */
async function openState(
  bequest: Bequest,
  { mode, directory: given }: Settings,
  { directory, state }: { readonly directory: string; readonly state: string },
): Promise<void> {
  const deps = { random: systemRandom, log: silentLogger };
  if (mode === 'node') {
    const { NodeKey } = await import('../../engine/node-key.js');
    await (await NodeKey.open(deps, directory)).close();
  } else {
    const { Identity } = await import('../../engine/identity.js');
    const kind = given === undefined ? 'if-possible' : 'directory';
    const identity = await Identity.open(deps, { kind, path: directory });
    await identity.close();
    if (!identity.isKept) return;
  }
  const lockPath = lockPathOf(directory, basename(state));
  const { fd } = await nodeFileSystem.openOrCreate(lockPath, LOCK_MODE);
  // If somebody was quicker, the successor cannot take it either, and says so.
  lockFile(fd);
  bequest.addDescriptor(lockPath, fd);
  bequest.addDirectory(directory);
  bequest.addFile(state);
}

/** In a directory such as /tmp only its own files. */
const mayReplace = (setpriv: Setpriv, path: string): boolean =>
  setpriv.may('-w', dirname(path)) && (!existsSync(path) || setpriv.may('-w', path));

/** Where the user cannot make it. What is wrong with it, the successor says. */
function leaveIdFile(bequest: Bequest, path: string): void {
  const { O_RDWR, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
  let fd: number;
  try {
    fd = openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, ID_FILE_MODE);
  } catch {
    return;
  }
  const status = fstatSync(fd);
  // Another name of it could be that of somebody else's file.
  if (status.isFile() && status.nlink === 1) bequest.addDescriptor(path, fd);
  else closeSync(fd);
}

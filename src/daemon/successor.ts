/**
 * The daemon as another user, where this Node cannot become it: what root has to make, open and read comes first, as in
 * process-form; then a process of that user's goes on from the beginning.
 */
import type { DaemonFlags } from '../config/daemon-flags.js';
import { lockFile } from '../engine/file-lock.js';
import { goIntoBackground } from '../platform/background.js';
import { Bequest } from '../platform/bequest.js';
import { giveFilesIn } from '../platform/ownership.js';
import { PidFile } from '../platform/pid-file.js';
import type { User } from '../platform/privileges.js';
import { Setpriv, waitForSuccessor } from '../platform/successor.js';
import { secretPlace } from './access-settings.js';
import type { Loaded } from './configuration.js';
import { groupOf, makeDirectoriesOf } from './process-form.js';
import type { DaemonSignals } from './signals.js';

interface Order {
  readonly flags: DaemonFlags;
  readonly loaded: Loaded;
  readonly signals: DaemonSignals;
  readonly user: User;
}

/** @returns the exit status @throws PrivilegesError, PidFileError, FileLockError, ProcessFormError */
export async function startSuccessor(process: NodeJS.Process, order: Order): Promise<number> {
  const { flags, loaded, signals, user } = order;
  const { isBackground } = flags;
  const { network, http, socket } = loaded.settings;
  const groupId = socket.group === undefined ? undefined : groupOf(socket.group, loaded.effective).id;
  const ports = [network.udpPorts?.first, network.relayPort, http.listen?.port];
  const setpriv = new Setpriv(user, { ports, groupId });
  const launch = setpriv.launch(process, bequestOf(process, order), { isBackground });
  const ended = isBackground ? goIntoBackground(process, launch) : waitForSuccessor(process, launch);
  // Only now, so that none is lost in between: it has listeners of its own.
  signals.release();
  return ended;
}

function bequestOf({ pid, env: environment }: NodeJS.Process, { flags, loaded, user }: Order): Bequest {
  const { settings, file } = loaded;
  const bequest = new Bequest();
  if (flags.pidFile !== undefined) {
    bequest.addDescriptor(flags.pidFile, PidFile.create(flags.pidFile, pid, lockFile).giveAway());
  }
  makeDirectoriesOf(settings, user);
  giveFilesIn(settings.stateDirectory, user);
  const secret = secretPlace({ environment }, settings)?.path;
  for (const path of [file, secret, settings.targets.rulesFile, settings.network.nodesFile]) {
    if (path !== undefined) bequest.addFile(path);
  }
  return bequest;
}

/** Listens at the path of a Unix socket: only its user may connect, and what a dead process has left there is replaced. */
import { lstatSync, unlinkSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { CodedError, systemCodeOf } from './coded-error.js';
import { createdPrivately } from './private-file.js';
import { MAX_UNIX_PATH } from './unix-path.js';

export class UnixListenError extends CodedError<'too-long' | 'not-a-socket' | 'in-use'> {}

/**
 * @returns a function that ends it, and removes the socket if it is still ours
 * @throws UnixListenError, and the system's errors; then nothing has changed
 */
export async function listenAtPath(server: Server, path: string): Promise<() => void> {
  if (Buffer.byteLength(path) > MAX_UNIX_PATH) {
    throw new UnixListenError(
      'too-long',
      `the path ${path} is too long for a socket: choose one of at most ${MAX_UNIX_PATH} bytes`,
    );
  }
  await removeDead(path);
  await listenPrivately(server, path);
  const ours = statusOf(path);
  return () => {
    // Node removes whatever is at the path. If that is another socket, nobody can connect to ours; the process keeps its descriptor.
    const found = statusOf(path);
    if (found === undefined || isSame(found, ours)) server.close();
    else server.unref();
  };
}

/** Creates the socket with mode 0600. @throws the system's error */
async function listenPrivately(server: Server, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // Node creates the socket before `listen` returns.
    createdPrivately(() =>
      server.listen(path, () => {
        server.off('error', reject);
        resolve();
      }),
    );
  });
}

/** Removes a socket on which no process listens any more. @throws UnixListenError if there is anything else */
async function removeDead(path: string): Promise<void> {
  for (;;) {
    const found = statusOf(path);
    if (found === undefined) return;
    if (found.isDirectory()) throw new UnixListenError('not-a-socket', `${path} is a directory: name a socket in it`);
    if (!found.isSocket()) {
      throw new UnixListenError(
        'not-a-socket',
        `${path} exists and is not a socket: move it away, or choose another path`,
      );
    }
    if (await isListenedOn(path)) {
      throw new UnixListenError('in-use', `another program listens on ${path}: choose another path`);
    }
    // Another process may have replaced it meanwhile.
    if (!isSame(statusOf(path), found)) continue;
    unlinkSync(path);
    return;
  }
}

type Status = ReturnType<typeof statusOf>;

/** The file system gives the same inode number again. */
const isSame = (one: Status, other: Status): boolean =>
  one?.ino === other?.ino && one?.birthtimeNs === other?.birthtimeNs;

const statusOf = (path: string) => lstatSync(path, { bigint: true, throwIfNoEntry: false });

/** Whether a process listens on a Unix socket; true also where that cannot be found out. */
export function isListenedOn(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error) => resolve(!['ECONNREFUSED', 'ENOENT'].includes(systemCodeOf(error) ?? '')));
  });
}

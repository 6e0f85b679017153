/** A service manager's socket, in a process of its own because Node has no Unix datagrams; prints each datagram as a line of JSON. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Test } from 'tap';
import { type Process, startProgram } from '../../../support/processes.js';
import { temporaryDirectory } from '../../../support/temporary-directory.js';

const RECEIVER = `
import json, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
name = sys.argv[1]
s.bind('\\0' + name[1:] if name.startswith('@') else name)
print('listening', flush=True)
if len(sys.argv) > 2: s = None if sys.argv[2] == 'closed' else s
import time
while s is None or len(sys.argv) > 2: time.sleep(60)
while True:
    # Descriptors that come along, as of a barrier, are closed by the kernel: nobody asked for them.
    print(json.dumps(s.recv(4096).decode()), flush=True)
`;

export interface NotifySocket {
  readonly address: string;
  /** What came, without the barriers of systemd-notify. */
  readonly messages: () => string[];
  waitFor(text: string): Promise<void>;
}

/** @param isReading false: a service manager that is stuck */
export async function startNotifySocket(
  t: Test,
  kind: 'path' | 'abstract',
  options: { readonly isReading: boolean } = { isReading: true },
): Promise<NotifySocket> {
  const address = kind === 'path' ? join(temporaryDirectory(t), 'notify') : `@tuntox-test-${randomUUID()}`;
  const args = options.isReading ? [] : ['stuck'];
  const receiver: Process = startProgram('receiver', ['python3', '-c', RECEIVER, address, ...args]);
  t.teardown(() => receiver.stop('SIGKILL'));
  await receiver.waitFor(/^listening\n/);
  const messages = (): string[] =>
    receiver.stdout
      .split('\n')
      .slice(1, -1)
      .map((line) => JSON.parse(line) as string)
      .filter((text) => text !== 'BARRIER=1');
  return {
    address,
    messages,
    waitFor: async (text) => void (await receiver.waitFor(new RegExp(`^"${text}(\\\\n)?.*"$`, 'm'))),
  };
}

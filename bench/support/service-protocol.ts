/** The protocol between the service of the demo and the benchmarks and its client; service.ts draws it. */
import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';

export const GREETING = 'hello\n';
export const DIGEST_LENGTH = 64;

/** SHA-256 of what passes, or nothing where the speed of the tunnel alone is wanted. */
export class Digest {
  readonly #hash;

  constructor(isWanted: boolean) {
    this.#hash = isWanted ? createHash('sha256') : undefined;
  }

  add(bytes: Buffer): void {
    this.#hash?.update(bytes);
  }

  text(): string {
    return this.#hash?.digest('hex') ?? '-'.repeat(DIGEST_LENGTH);
  }
}

/** @throws Error (rejects) when the connection breaks */
export async function sendAll(socket: Socket, chunks: Iterable<Buffer>, digest: Digest): Promise<void> {
  for (const chunk of chunks) {
    digest.add(chunk);
    if (socket.write(chunk)) continue;
    await new Promise<void>((resolve, reject) => {
      const onClose = (): void => reject(new Error('the connection broke'));
      if (socket.destroyed) onClose();
      socket.once('close', onClose);
      socket.once('drain', () => {
        socket.off('close', onClose);
        resolve();
      });
    });
  }
}

/** The process of orders.ts, asked from here. */
import { join } from 'node:path';
import { type Process, ROOT, startProgram } from '../../test/support/processes.js';
import { keep } from './private-network.js';

/** ms; a thousand orders to a busy daemon take a while. */
const PATIENCE = 120_000;

export class Owner {
  readonly process: Process;
  #round = 0;

  private constructor(process: Process) {
    this.process = process;
  }

  /** @param socket path of the daemon's */
  static start(socket: string): Owner {
    const program = join(ROOT, 'dist/bench/support/orders.js');
    return new Owner(keep(startProgram('owner', [process.execPath, program, socket])));
  }

  /** Many programs, the owner's among them. */
  async connect(): Promise<void> {
    await this.#ask('connect');
  }

  /** @returns ms that each order took */
  async order(count: number): Promise<number[]> {
    return JSON.parse(await this.#ask(`order ${count}`));
  }

  async leave(): Promise<void> {
    await this.#ask('leave');
  }

  async #ask(line: string): Promise<string> {
    this.#round += 1;
    this.process.child.stdin.write(`${line}\n`);
    const [, answer] = await this.process.waitFor(new RegExp(`^${this.#round}: (.*)\n`, 'm'), PATIENCE);
    return answer as string;
  }
}

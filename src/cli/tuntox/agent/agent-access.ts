/** How the command reaches the user's agent: it starts one if none is running, and replaces one of another version. */
import { AgentError, Conversation, type Hello } from '../../../agent/conversation.js';
import { AGENT_VERSION, type AgentRequest } from '../../../agent/messages.js';
import { type AgentPlaces, AgentSocketError } from '../../../agent/socket-file.js';
import { type Clock, pause } from '../../../base/clock.js';
import type { Logger } from '../../../base/logger.js';

/** ms between attempts, and how many there are, while an agent starts or ends. */
const PAUSE = 50;
const ATTEMPTS = 100;

/** `tuntox 0.2.0`, and not `tuntoxd 0.2.0`. */
const AGENT_PROGRAM = 'tuntox ';

export interface AgentAccessDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /**
   * Starts an agent with these options about the network, and resolves when it listens.
   * @throws AgentError with the output of the start on standard error
   */
  readonly start: (networkOptions: readonly string[]) => Promise<void>;
}

export interface AgentAccessOptions {
  readonly places: AgentPlaces;
  /** Name and version of this program. */
  readonly program: string;
  /** Options about the network on this command line: the agent must have been started with them. */
  readonly networkOptions: readonly string[];
}

export class AgentAccess {
  readonly #deps: AgentAccessDeps;
  readonly #options: AgentAccessOptions;
  /** Those of the agent that answered last: one that takes its place uses the same proxy and nodes. */
  #networkOptions: readonly string[];
  #starting: Promise<void> | undefined;
  /** How many starts have come to their end. */
  #starts = 0;

  constructor(deps: AgentAccessDeps, options: AgentAccessOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#networkOptions = options.networkOptions;
  }

  /** Asks the agent. @throws AgentSocketError, AgentError */
  async begin(request: AgentRequest): Promise<Conversation> {
    const { places, program } = this.#options;
    for (let left = ATTEMPTS; ; left -= 1) {
      const starts = this.#starts;
      try {
        const { conversation, hello } = await Conversation.begin(this.#deps, places, request);
        this.#checkOptions(hello);
        this.#networkOptions = hello.options ?? this.#networkOptions;
        // A daemon ends by its own command.
        const isAgent = hello.program.startsWith(AGENT_PROGRAM);
        if (hello.version === AGENT_VERSION) {
          // After an upgrade of tuntox; the next command then starts the new one.
          if (isAgent && hello.program !== program) await this.#end(hello);
          return conversation;
        }
        conversation.close();
        if (left === 0 || !isAgent) throw otherVersion(hello, program);
        await this.#end(hello);
      } catch (error) {
        const isMissing = error instanceof AgentSocketError && error.code === 'not-running';
        if (!isMissing || left === 0) throw error;
        // Another request may have started one since this attempt began.
        if (starts === this.#starts) await this.#start();
      }
      await pause(this.#deps.clock, PAUSE);
    }
  }

  /** One start, however many connections wait for it. */
  #start(): Promise<void> {
    this.#starting ??= this.#deps.start(this.#networkOptions).finally(() => {
      this.#starts += 1;
      this.#starting = undefined;
    });
    return this.#starting;
  }

  /** Asks the agent to end as soon as nobody uses it. Never rejects. */
  async #end(hello: Hello): Promise<void> {
    this.#deps.log.debug(`the agent is ${hello.program}, process ${hello.pid}: it is asked to end when nobody uses it`);
    try {
      const request = { ask: 'stop', when: 'idle' } as const;
      await Conversation.ask(this.#deps, this.#options.places, request);
    } catch (error) {
      this.#deps.log.debug(String(error));
    }
  }

  #checkOptions({ program, options = [] }: Hello): void {
    const missing = this.#options.networkOptions.find((option) => !options.includes(option));
    if (missing === undefined) return;
    const [name] = missing.split('=', 1);
    throw new AgentError(
      'options',
      `${name} is an option of the agent (${program}), which runs without it: run "tuntox agent stop" first, or remove ${name}`,
    );
  }
}

function otherVersion({ program, pid }: Hello, own: string): AgentError {
  return new AgentError(
    'version',
    `the agent (${program}, process ${pid}) is of another version than this command (${own}), and still in use: ` +
      (program.startsWith(AGENT_PROGRAM)
        ? 'it ends with its connections, or now with "tuntox agent stop"'
        : 'restart that daemon'),
  );
}

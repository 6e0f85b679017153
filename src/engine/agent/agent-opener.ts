/** The client's end: tunnels that the agent opens, for local ports of this process. */
import { carry } from '../../agent/carry.js';
import { AgentError, type Conversation } from '../../agent/conversation.js';
import type { AgentTarget } from '../../agent/messages.js';
import { messageOf } from '../../base/coded-error.js';
import type { Logger } from '../../base/logger.js';
import type { Opener } from '../../tunnel/client/peer-opener.js';
import type { OpenHandlers } from '../../tunnel/link/outgoing-requests.js';
import { isDatagramEnd } from '../../tunnel/stream/datagram-end.js';
import { isReason, type Reason } from '../../tunnel/wire/reasons.js';
import type { Target } from '../../tunnel/wire/target.js';
import { datagramStreams } from './agent-datagrams.js';
import { agentTarget } from './agent-target.js';

export interface AgentOpenerDeps {
  readonly log: Logger;
  /** Asks the agent for a tunnel. @throws AgentSocketError, AgentError */
  readonly begin: (target: AgentTarget) => Promise<Conversation>;
}

export class AgentOpener implements Opener {
  readonly #deps: AgentOpenerDeps;
  #terms: 'unknown' | 'upstream' = 'unknown';

  constructor(deps: AgentOpenerDeps) {
    this.#deps = deps;
  }

  /** As a refusal tells it: the agent knows more. */
  get terms(): 'unknown' | 'upstream' {
    return this.#terms;
  }

  open(target: Target, handlers: OpenHandlers): () => void {
    const onRefused: OpenHandlers['onRefused'] = (reason) => {
      if (reason === 'no-extension') this.#terms = 'upstream';
      handlers.onRefused(reason);
    };
    const { source } = handlers;
    const request = new OpenRequest(this.#deps, { source, onAccepted: () => handlers.onAccepted(), onRefused });
    void request.run(target);
    return () => request.cancel();
  }

  /** The server may be another program in its next session. */
  onDisconnected(): void {
    this.#terms = 'unknown';
  }
}

class OpenRequest {
  readonly #deps: AgentOpenerDeps;
  readonly #handlers: OpenHandlers;
  #conversation: Conversation | undefined;
  #isCancelled = false;

  constructor(deps: AgentOpenerDeps, handlers: OpenHandlers) {
    this.#deps = deps;
    this.#handlers = handlers;
  }

  cancel(): void {
    this.#isCancelled = true;
    this.#conversation?.close();
  }

  /** Never rejects. */
  async run(target: Target): Promise<void> {
    try {
      const conversation = await this.#deps.begin(agentTarget(target));
      this.#conversation = conversation;
      if (this.#isCancelled) conversation.close();
      await conversation.untilOpen(this.#handlers.source, () => {});
      if (this.#isCancelled) return;
      await this.#carry(conversation);
    } catch (error) {
      if (!this.#isCancelled) this.#handlers.onRefused(this.#reasonOf(error));
    }
  }

  /** Never rejects. */
  async #carry(conversation: Conversation): Promise<void> {
    const end = this.#handlers.onAccepted();
    try {
      await carry(conversation, isDatagramEnd(end) ? datagramStreams(end) : end);
      end.destroy();
    } catch (error) {
      end.reset(this.#reasonOf(error));
    }
  }

  /** The agent's errors about the server are no reasons of a tunnel: they are logged here. */
  #reasonOf(error: unknown): Reason {
    const code = error instanceof AgentError ? error.code : '';
    if (isReason(code)) return code;
    this.#deps.log.debug(messageOf(error));
    return code === 'agent-ended' ? 'connection-lost' : 'peer-offline';
  }
}

/** What the daemon has to bring: one function for each method of the protocol. */
import type { MethodName, Params, Result, StreamEvent, StreamName } from './protocol.js';

/** Of one order that is being worked on. */
export interface Call {
  /** Aborted when the client cancels, or goes. */
  readonly signal: AbortSignal;
}

/** Sends one event of a stream. @returns false when the client is behind: the next ones may be left out */
export type Emit<Event> = (event: Event) => boolean;

/** One function for each method; it throws a ControlError for what the caller can do something about. */
export type MethodHandlers = {
  readonly [M in MethodName]: M extends StreamName
    ? (params: Params<M>, emit: Emit<StreamEvent<M>>, call: Call) => Promise<void>
    : (params: Params<M>, call: Call) => Promise<Result<M>> | Result<M>;
};

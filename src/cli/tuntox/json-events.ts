/** The events of `--json`: one object a line (docs/schema/event-1.json). */
import { type Clock, rfc3339, systemClock } from '../../base/clock.js';
import { harmlessJson } from '../../base/columns.js';
import type { RunSettings } from '../../config/classic-settings.js';
import type { ClientEvent } from '../../control/messages/events.js';

type WithoutBase<Event> = Event extends unknown ? Omit<Event, 'schema' | 'at'> : never;
/** An event without what all events have. */
export type NewsEvent = WithoutBase<ClientEvent>;

export class JsonEvents {
  readonly #deps: { readonly clock: Pick<Clock, 'unixTime'>; readonly stream: { write(text: string): unknown } };
  #hasFailed = false;

  constructor(deps: { readonly clock: Pick<Clock, 'unixTime'>; readonly stream: { write(text: string): unknown } }) {
    this.#deps = deps;
  }

  /** One error is the last event. A reader that is gone changes nothing: the command goes on. */
  readonly tell = ({ event, ...rest }: NewsEvent): void => {
    if (this.#hasFailed) return;
    this.#hasFailed = event === 'error';
    const at = rfc3339(this.#deps.clock.unixTime());
    const text = JSON.stringify({ schema: 'tuntox.event/1', at, event, ...rest });
    this.#deps.stream.write(`${harmlessJson(text)}\n`);
  };
}

/** Standard output, or where that is the stream, as with -W, standard error. */
export function jsonEvents(
  { mode, isJson }: Pick<RunSettings, 'mode' | 'isJson'>,
  streams: { readonly stdout: NodeJS.WritableStream; readonly stderr: NodeJS.WritableStream },
): JsonEvents | undefined {
  if (isJson !== true) return undefined;
  return new JsonEvents({ clock: systemClock, stream: mode === 'pipe' ? streams.stderr : streams.stdout });
}

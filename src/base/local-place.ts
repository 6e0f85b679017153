/** Where a forward listens on this machine. */
import { hostAndPort } from './endpoint.js';

export type LocalPlace =
  | {
      readonly kind: 'port';
      /** An address or a name of this machine; undefined means all its addresses. */
      readonly bind: string | undefined;
      /** 0 lets the system choose. */
      readonly port: number;
    }
  /** @see sun_path in unix(7): at most 107 bytes, absolute. */
  | { readonly kind: 'unix'; readonly path: string }
  /** A socket that the service manager has opened (sd_listen_fds(3)). */
  | { readonly kind: 'descriptor'; readonly fd: number; readonly name: string };

/** A place as people write it: which descriptor it is, is found later. */
export type PlaceText =
  | Exclude<LocalPlace, { kind: 'descriptor' }>
  /** Undefined means the next one that no other forward has. */
  | { readonly kind: 'descriptor'; readonly name: string | undefined };

/** `127.0.0.1:8080`, `*:8080`, `/run/db.sock`, `fd/web`, `fd`. */
export function placeText(place: LocalPlace | PlaceText): string {
  switch (place.kind) {
    case 'port':
      return hostAndPort({ host: place.bind ?? '*', port: place.port });
    case 'unix':
      return place.path;
    case 'descriptor':
      return place.name === undefined ? 'fd' : `fd/${place.name}`;
  }
}

/** The place with the port that the system has chosen. */
export const withPort = (place: LocalPlace, port: number): LocalPlace =>
  place.kind === 'port' ? { ...place, port } : place;

/** Whether a word of a command line can be a place: `[bind:]port`, a path, `fd` or `fd/name`. */
export const isPlaceText = (word: string): boolean =>
  /^(?:(?:[^\s-].*)?[:@])?[0-9]{1,5}$/.test(word) || /^[./]*\//.test(word) || /^fd(?:\/|$)/.test(word);

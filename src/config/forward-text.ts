/**
 * Parses the forwards that people write, as ssh(1) has them:
 *
 *     -L  ["udp:"] place ":" target
 *     -D  place
 *     -R  [bind ":"] port [":" target]
 *
 *     place   [bind ":"] port | [bind ":"] first "-" last | path | "fd" ["/" name]
 *     target  host ":" port | host ":" first "-" last | path | the name of a service
 *
 * `@` may stand for a colon, but not in a path. A field with a slash is a path; in it a backslash takes away the meaning of a colon.
 */
import { isIPv6 } from '../base/ip-address.js';
import type { PlaceText } from '../base/local-place.js';
import { FormatError } from './format-error.js';
import { LOOPBACK, parseHost, parsePort, parsePortOrNone, parseTargetOrService, type TargetText } from './formats.js';
import type { ProxyUserText } from './proxy-users-file.js';

type PortPlace = Extract<PlaceText, { kind: 'port' }>;

export type ForwardText =
  /** -L: a connection at the place reaches the target as the server sees it. */
  | { readonly kind: 'local'; readonly at: PlaceText; readonly target: TargetText }
  /** -D: each connection at the place names its own target. Without users everybody may. */
  | { readonly kind: 'dynamic'; readonly at: PlaceText; readonly users?: readonly ProxyUserText[] }
  /** -R: a connection to the port of the server reaches the target as this machine sees it; without a target it names its own. */
  | {
      readonly kind: 'reverse';
      readonly at: PortPlace;
      readonly target?: TargetText;
      readonly users?: readonly ProxyUserText[];
    };

/** Whether each connection names its own target. */
export const isProxyText = (forward: ForwardText): boolean =>
  forward.kind === 'dynamic' || (forward.kind === 'reverse' && forward.target === undefined);

/** Ports of one range: each is a listener. */
export const MAX_RANGE = 256;

interface Place {
  /** One for each port of a range. */
  readonly places: readonly PlaceText[];
  /** What follows the place and its colon; undefined if nothing does. */
  readonly rest: string | undefined;
}

const LOCAL_FORMS =
  '[bind:]port:host:port, as in 2222:127.0.0.1:22 or 2222:[::1]:22, nor port:service, as in 2222:ssh, nor /local.sock:host:port';

/** Parses the value of -L. @returns a forward, or one for each port of a range @throws FormatError */
export function parseLocalForwards(text: string): ForwardText[] {
  const prefix = isUdp(text) ? UDP : '';
  const { places, rest } = placeIn(text.slice(prefix.length)) ?? {};
  if (places === undefined || rest === undefined) throw new FormatError(`"${text}" is not ${LOCAL_FORMS}`);
  if (prefix === UDP && places[0]?.kind !== 'port') {
    throw new FormatError(`"${text}": a forward of datagrams begins at a port, as in udp:53:127.0.0.1:53`);
  }
  if (isUdp(rest)) throw new FormatError(`in "${text}" udp: stands in front of all, as in udp:53:127.0.0.1:53`);
  const targets = targetsIn(rest, places.length, text);
  return places.map((at, index) => {
    const target = targets[index] ?? rest;
    return { kind: 'local', at, target: parseTargetOrService(prefix + target) };
  });
}

const UDP = 'udp:';
const isUdp = (text: string): boolean => text.startsWith(UDP);

/** Parses the value of -L that names one port. @throws FormatError */
export function parseLocalForward(text: string): ForwardText & { readonly kind: 'local' } {
  const [forward, second] = parseLocalForwards(text);
  if (second !== undefined) throw new FormatError(`"${text}" is a range: name one port`);
  return forward as ForwardText & { readonly kind: 'local' };
}

/** Parses the value of -D. @throws FormatError */
export function parseDynamicForward(text: string): ForwardText & { readonly kind: 'dynamic' } {
  if (isUdp(text)) throw new FormatError(`"${text}": programs ask for UDP themselves, by SOCKS5: remove udp:`);
  const { places: [at, second] = [], rest } = placeIn(text) ?? {};
  if (at === undefined || second !== undefined || rest !== undefined) {
    throw new FormatError(`"${text}" is not [bind:]port, as in 1080 or localhost:1080, nor the path of a socket`);
  }
  return { kind: 'dynamic', at };
}

/** Parses the value of -R. @returns a forward, or one for each port of a range @throws FormatError */
export function parseReverseForwards(text: string): ForwardText[] {
  const { places, rest } = placeIn(text) ?? {};
  if (isUdp(text) || isUdp(rest ?? ''))
    throw new FormatError(`"${text}": a reverse forward is for TCP only: remove udp:`);
  if (places === undefined) {
    throw new FormatError(
      `"${text}" is not [bind:]port:host:port, as in 8080:127.0.0.1:80, nor [bind:]port, as in 1080`,
    );
  }
  const targets = rest === undefined ? [] : targetsIn(rest, places.length, text);
  return places.map((at, index) => {
    if (at.kind !== 'port') throw new FormatError(`"${text}" does not begin with a port: the server opens a port only`);
    if (rest === undefined) return { kind: 'reverse', at };
    const target = parseTargetOrService(targets[index] ?? rest);
    if (target.port === 0 && !target.host.startsWith('/')) {
      throw new FormatError(
        `"${target.host}" is the name of a service, which this machine has none of: give host:port`,
      );
    }
    return { kind: 'reverse', at, target };
  });
}

/** Parses the value of -R that names one port. @throws FormatError */
export function parseReverseForward(text: string): ForwardText {
  const [forward, second] = parseReverseForwards(text);
  if (second !== undefined) throw new FormatError(`"${text}" is a range: name one port`);
  return forward as ForwardText;
}

/** Parses a place alone, such as `[bind:]port`. @returns undefined if it is none, or more than one @throws FormatError */
export function parsePlace(text: string): PlaceText | undefined {
  const { places: [place, second] = [], rest } = placeIn(text) ?? {};
  return second === undefined && rest === undefined ? place : undefined;
}

/** Reads the place in front. @throws FormatError */
function placeIn(text: string): Place | undefined {
  return descriptorIn(text) ?? pathIn(text) ?? portsIn(text.replaceAll('@', ':'));
}

/** `fd`, unless a port follows, before which it is a host; `fd/name`. */
function descriptorIn(text: string): Place | undefined {
  const [whole, name, rest] = /^fd(?:\/([^:@/\s]{1,255}))?(?:$|[:@](?![0-9-]+(?:[:@]|$))(.*)$)/.exec(text) ?? [];
  return whole === undefined ? undefined : { places: [{ kind: 'descriptor', name }], rest };
}

function pathIn(text: string): Place | undefined {
  const [, path, rest] = /^((?:[^:\\[]|\\.)*?\/(?:[^:\\]|\\.)*)(?::(.*))?$/.exec(text) ?? [];
  // Before a colon of ours, a slash is of the target.
  if (path === undefined || /^[^/]*@/.test(path)) return undefined;
  return { places: [{ kind: 'unix', path: unescaped(path) }], rest };
}

/** @throws FormatError */
function portsIn(text: string): Place | undefined {
  // A number in front is the port: it is no name of a machine.
  const port = '([0-9]+)(?:-([0-9]+))?';
  const bound = new RegExp(`^(?:(\\[[^\\]]*\\]|(?!${port}:)[^:[\\]]*):)?${port}(?::(.*))?$`);
  const found = bound.exec(text);
  if (found === null) return undefined;
  const [, bind, , , first = '', last, rest] = found;
  return {
    places: portsFrom(first, last, text).map((one) => ({ kind: 'port', bind: parseBind(bind, text), port: one })),
    rest,
  };
}

/** As with ssh, `*` and an empty text mean all addresses. @throws FormatError */
function parseBind(text: string | undefined, whole: string): string | undefined {
  if (text === undefined) return LOOPBACK;
  const bare = text.replace(/^\[(.*)\]$/, '$1');
  if (bare === '' || bare === '*') return undefined;
  if (bare.includes(':') && !isIPv6(bare)) throw new FormatError(`"${bare}" in "${whole}" is not an address`);
  return parseHost(bare, whole);
}

/** The ports of a range, or one; 0 only alone. @throws FormatError */
function portsFrom(first: string, last: string | undefined, whole: string): number[] {
  if (last === undefined) return [parsePortOrNone(first)];
  const [from, to] = [parsePort(first), parsePort(last)];
  if (from > to) throw new FormatError(`in "${whole}" the first port is above the last: swap them`);
  if (to - from >= MAX_RANGE) throw new FormatError(`"${whole}" has more than ${MAX_RANGE} ports: make several ranges`);
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

/** The targets of a range, one for each of `count` places; otherwise the text itself. @throws FormatError */
function targetsIn(text: string, count: number, whole: string): string[] {
  const [, host, first, last] = (text.includes('/') ? null : /^(.*[:@])([0-9]+)-([0-9]+)$/.exec(text)) ?? [];
  if (host === undefined || first === undefined) {
    if (count === 1) return [unescaped(text)];
    throw new FormatError(
      `in "${whole}" ${count} ports have one target: give it a range too, as in 8000-8010:host:8000-8010`,
    );
  }
  const targets = portsFrom(first, last, whole).map((port) => `${host}${port}`);
  if (targets.length === count) return targets;
  throw new FormatError(
    `in "${whole}" the first range has ${count} ports, the second ${targets.length}: they must be equal`,
  );
}

/** ssh's backslash in front of a character of a path. */
const unescaped = (text: string): string => (text.includes('/') ? text.replace(/\\(.)/g, '$1') : text);

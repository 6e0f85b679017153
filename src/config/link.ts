/**
 * A link gives a client everything it needs: the server's Tox ID, a secret, and the target as the server sees it, if it is for one.
 *
 *     tuntox://TOX_ID/SECRET/HOST:PORT
 *     tuntox://TOX_ID/SECRET/SERVICE       (both with udp: in front for UDP)
 *     tuntox://TOX_ID/SECRET//run/x.sock
 *     tuntox://TOX_ID/SECRET
 *
 * No character of it has a meaning for a shell, so an IPv6 address has no brackets: the port is what follows the last colon.
 */
import { withoutCopyMarks } from '../base/copied-text.js';
import type { ToxId } from '../tox/crypto/tox-id.js';
import { FormatError } from './format-error.js';
import { parseTargetOrService, parseToxId, type TargetText } from './formats.js';
import { errorOfSecret } from './secret-file.js';

const SCHEME = 'tuntox://';
const EXAMPLE = `${SCHEME}TOX_ID/SECRET/127.0.0.1:22`;

export interface Link {
  readonly serverId: ToxId;
  readonly secret: string;
  /** Undefined if the link is not for one target. */
  readonly target: TargetText | undefined;
}

export function formatLink({ serverId, secret, target }: Link): string {
  const text = target === undefined ? '' : linkTarget(target);
  return `${SCHEME}${serverId}/${secret}${IN_LINK.test(text) ? `/${text}` : ''}`;
}

/** Characters of the path of a Unix socket that has another one could mean something to a shell. */
const IN_LINK = /^[\w./:%@+-]+$/;

export function linkTarget({ host, port, protocol }: TargetText): string {
  const text = port === 0 ? host : `${host}:${port}`;
  return protocol === undefined ? text : `${protocol}:${text}`;
}

/** A port below FIRST needs root, so OFFSET is added: 22 becomes 10022. */
const FIRST = 1024;
const OFFSET = 10_000;

/** Returns the local port that leads to a target unless another one is given; 0, any free one, for a service. */
export const localPortOf = ({ port }: TargetText): number => (port > 0 && port < FIRST ? port + OFFSET : port);

/** A link, or the Tox ID alone of a server that knows the client by its key. */
export type LinkOrId = Pick<Link, 'serverId' | 'target'> & { readonly secret: string | undefined };

/** Fewer digits are no Tox ID that was cut. */
const ID = /^[0-9a-fA-F]{64,}$/;

/** Parses either, with what copying adds. @throws FormatError */
export function parseLinkOrId(copied: string): LinkOrId {
  if (!ID.test(withoutCopyMarks(copied))) return parseLink(copied);
  return { serverId: parseToxId(copied), secret: undefined, target: undefined };
}

export const formatLinkOrId = ({ secret, ...link }: LinkOrId): string =>
  secret === undefined ? link.serverId.toString() : formatLink({ ...link, secret });

/** Parses a link, with what copying adds. Errors do not show the secret. @throws FormatError */
export function parseLink(copied: string): Link {
  const text = withoutCopyMarks(copied);
  if (!text.startsWith(SCHEME)) throw new FormatError(`this is not a link: a link looks like ${EXAMPLE}`);
  const [id = '', secret = '', ...rest] = text.slice(SCHEME.length).split('/');
  const target = rest.length === 0 ? undefined : rest.join('/');
  // Only the path of a Unix socket has more of them, and begins with one.
  if (secret === '' || target === '' || target === '/' || (rest.length > 1 && rest[0] !== '')) {
    throw new FormatError(`this link is not complete: copy all of it, as in ${EXAMPLE}`);
  }
  if (!/^[A-Za-z0-9_-]+$/.test(secret))
    throw new FormatError('the secret in this link has a wrong character: copy it again');
  const error = errorOfSecret(Buffer.from(secret));
  if (error !== undefined) throw new FormatError(`the secret in this link ${error}`);
  return { serverId: parseToxId(id), secret, target: target === undefined ? undefined : parseTargetOrService(target) };
}

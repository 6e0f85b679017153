/** What the engine needs of the Tox stack; tests pass their own. */
import type { Tox } from '../../tox/tox.js';

export type ToxStack = Pick<
  Tox,
  | 'id'
  | 'start'
  | 'stop'
  | 'bootstrap'
  | 'isOnline'
  | 'networkFacts'
  | 'onOnlineChange'
  | 'proxyFault'
  | 'onProxyChange'
  | 'onFriendRequest'
  | 'addFriend'
  | 'removeFriend'
  | 'savedata'
  | 'proveAlive'
>;

/** Why nothing passes the proxy. */
export type ProxyError = NonNullable<ToxStack['proxyFault']>;

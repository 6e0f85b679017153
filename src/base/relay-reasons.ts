/** Why a connection goes through a relay, in words: the log of the engine and tuntoxctl print the same. */

/** @param peer what the other end is called @returns the words by the code of the reason */
export const relayReasons = (peer: string) => ({
  proxy: 'all traffic goes through the proxy',
  'udp-off': 'UDP is turned off here',
  'udp-blocked': 'UDP seems to be blocked here',
  'peer-tcp-only': `${peer} seems to have no UDP`,
  'udp-one-way': `our UDP packets do not reach ${peer}`,
  'punching-failed': 'UDP hole punching failed',
  'being-tried': 'a direct path is being tried',
});

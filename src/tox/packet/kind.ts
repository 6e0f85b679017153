/** The first bytes of all datagrams (spec: "Packet kind"), and the ids inside packets. */

export const UdpKind = {
  PingRequest: 0x00,
  PingResponse: 0x01,
  NodesRequest: 0x02,
  NodesResponse: 0x04,
  CookieRequest: 0x18,
  CookieResponse: 0x19,
  CryptoHandshake: 0x1a,
  CryptoData: 0x1b,
  DhtRequest: 0x20,
  LanDiscovery: 0x21,
  OnionRequest0: 0x80,
  OnionRequest1: 0x81,
  OnionRequest2: 0x82,
  /** The classic variant, which c-toxcore's clients send; 0x87 is the newer one, which a node answers and no client needs. */
  AnnounceRequest: 0x83,
  AnnounceResponse: 0x84,
  OnionDataRequest: 0x85,
  OnionDataResponse: 0x86,
  AnnounceRequestExtended: 0x87,
  AnnounceResponseExtended: 0x88,
  OnionResponse3: 0x8c,
  OnionResponse2: 0x8d,
  OnionResponse1: 0x8e,
  BootstrapInfo: 0xf0,
} as const;

/** First plain byte between a client and a TCP relay. From 16 on it is the slot of a peer, whose data follows. */
export const RelayKind = {
  RoutingRequest: 0,
  RoutingResponse: 1,
  ConnectNotification: 2,
  DisconnectNotification: 3,
  Ping: 4,
  Pong: 5,
  OobSend: 6,
  OobReceive: 7,
  OnionRequest: 8,
  OnionResponse: 9,
  /** Newer packets, which we neither send nor answer. */
  ForwardRequest: 10,
  Forwarding: 11,
  FirstSlot: 16,
  LastSlot: 255,
} as const;

/** First plain byte inside a DHT request (0x20). */
export const DhtRequestKind = {
  DhtPublicKey: 0x9c,
  NatPing: 0xfe,
} as const;

/** First byte of the innermost data of an onion data packet. */
export const OnionDataKind = {
  /** Our own: a packet to ourselves, which no other peer can read. */
  SelfCall: 0x01,
  FriendRequest: 0x20,
  DhtPublicKey: 0x9c,
} as const;

/** First byte of the data of a net_crypto packet: 16 to 191 for lossless packets, 192 to 254 for lossy ones. */
export const CryptoKind = {
  Padding: 0,
  Request: 1,
  Kill: 2,
  /**
   * Our own, dropped by c-toxcore: the features of a peer, a request packet that states the end of its list, half a packet, and a request
   * packet that states when the last packet arrived, too.
   */
  Features: 3,
  RequestWithEnd: 4,
  Part: 5,
  RequestWithTime: 6,
  FirstLossless: 16,
  LastLossless: 191,
  FirstLossy: 192,
  LastLossy: 254,
} as const;

/** Ids that friend connections and the messenger use. */
export const FriendKind = {
  Alive: 16,
  ShareRelays: 17,
  FriendRequest: 18,
  Online: 24,
  Offline: 25,
  FirstCustomLossless: 160,
  LastCustomLossless: 191,
  FirstCustomLossy: 200,
} as const;

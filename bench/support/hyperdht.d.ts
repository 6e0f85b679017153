/** The part of hyperdht that the benchmark uses; the package has no types. */
declare module 'hyperdht' {
  import type { Duplex } from 'node:stream';

  export interface KeyPair {
    readonly publicKey: Buffer;
    readonly secretKey: Buffer;
  }

  export interface Server {
    listen(keyPair: KeyPair): Promise<void>;
  }

  // biome-ignore lint/style/noDefaultExport: that is how the package has it
  export default class DHT {
    constructor(options: {
      readonly bootstrap: readonly string[];
      readonly host?: string;
      readonly ephemeral?: boolean;
      readonly firewalled?: boolean;
    });
    static bootstrapper(port: number, host: string): DHT;
    static keyPair(): KeyPair;
    ready(): Promise<void>;
    createServer(onConnection: (stream: Duplex) => void): Server;
    connect(publicKey: Buffer): Duplex;
  }
}

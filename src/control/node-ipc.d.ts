/** What we use of node-ipc 12, which brings no types. */
declare module 'node-ipc' {
  import type { Server, Socket } from 'node:net';

  interface Config {
    rawBuffer: boolean;
    encoding: BufferEncoding;
    silent: boolean;
    unlink: boolean;
    readableAll: boolean;
    writableAll: boolean;
    maxConnections: number;
    stopRetrying: boolean;
    maxRetries: number;
  }

  interface IpcServer {
    /** Of Node; false before `start`. */
    readonly server: Server | false;
    on(event: 'start', listener: () => void): this;
    on(event: 'connect' | 'close', listener: (socket: Socket) => void): this;
    on(event: 'data', listener: (data: Buffer, socket: Socket) => void): this;
    on(event: 'error', listener: (error: Error) => void): this;
    start(): void;
    stop(): void;
  }

  interface IpcClient {
    readonly socket: Socket;
    on(event: 'connect' | 'disconnect' | 'destroy', listener: () => void): this;
    on(event: 'data', listener: (data: Buffer) => void): this;
    on(event: 'error', listener: (error: Error) => void): this;
  }

  export class IPCModule {
    readonly config: Config;
    readonly server: IpcServer;
    readonly of: Readonly<Record<string, IpcClient>>;
    serve(path: string): void;
    connectTo(id: string, path: string): void;
    disconnect(id: string): void;
  }
}

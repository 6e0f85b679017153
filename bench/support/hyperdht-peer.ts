/**
 * A tunnel by HyperDHT, as hypertele and holesail make it: each TCP connection becomes an encrypted stream of its own.
 *
 *     hyperdht-peer.js node ADDRESS PORT              a bootstrap node
 *     hyperdht-peer.js server NODE SERVICE_PORT       prints its public key in hexadecimal
 *     hyperdht-peer.js client NODE KEY LOCAL_PORT
 *
 * Each prints "ready" when it is, and ends with its standard input.
 */
import { connect, createServer } from 'node:net';
import type { Duplex } from 'node:stream';
import DHT from 'hyperdht';

const [role, ...args] = process.argv.slice(2) as [string, string, string, string];

function join(one: Duplex, other: Duplex): void {
  for (const [end, opposite] of [
    [one, other],
    [other, one],
  ] as const) {
    end.on('error', () => opposite.destroy());
    end.pipe(opposite);
  }
}

if (role === 'node') {
  const [host, port] = args;
  await DHT.bootstrapper(Number(port), host).ready();
  // A network has to have some that stay; announcements are kept by these.
  const isPublic = { ephemeral: false, firewalled: false };
  for (let count = 0; count < 3; count += 1)
    await new DHT({ bootstrap: [`${host}:${port}`], host, ...isPublic }).ready();
} else {
  const dht = new DHT({ bootstrap: [args[0]] });
  if (role === 'server') {
    const keyPair = DHT.keyPair();
    const port = Number(args[1]);
    const server = dht.createServer((stream) =>
      join(stream, connect({ host: '127.0.0.1', port, noDelay: true, allowHalfOpen: true })),
    );
    await server.listen(keyPair);
    console.log(keyPair.publicKey.toString('hex'));
  } else {
    const key = Buffer.from(args[1], 'hex');
    const server = createServer({ noDelay: true, allowHalfOpen: true }, (local) => join(local, dht.connect(key)));
    await dht.ready();
    await new Promise<void>((resolve) => server.listen(Number(args[2]), '127.0.0.1', resolve));
  }
}
console.log('ready');
process.stdin.once('close', () => process.exit()).resume();

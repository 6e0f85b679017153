// A service behind a tunnel, on loopback: GET gives a file, POST the SHA-256 of what came. node service.js PORT FILE
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createServer } from 'node:http';
import { pipeline } from 'node:stream/promises';

const [port, file] = process.argv.slice(2);
createServer(async (request, response) => {
  try {
    if (request.method !== 'POST') return await pipeline(createReadStream(file), response);
    const hash = createHash('sha256');
    await pipeline(request, hash);
    response.end(hash.digest('hex'));
  } catch (error) {
    // The client has disconnected, and reports that itself.
    console.error(error.message);
  }
}).listen(Number(port), '127.0.0.1');

import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { systemClock } from '../../../src/base/clock.js';
import { type HttpAnswer, httpRequester } from '../../../src/tox/network/http-request.js';
import { ManualClock } from '../../support/manual-clock.js';

const LOCALHOST = '127.0.0.1';

/** Runs a server until the end of the test. @returns its URL */
async function serve(t: Test, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, LOCALHOST, resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://${LOCALHOST}:${(server.address() as AddressInfo).port}/`;
}

const get = (url: string): Promise<HttpAnswer | undefined> =>
  httpRequester(systemClock, LOCALHOST)({ url: new URL(url), method: 'GET' });

t.test('the whole request is sent, and the whole response returned with its status', async (t) => {
  const url = await serve(t, (request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () =>
      response.writeHead(500).end(`${request.method} ${request.url} ${request.headers.a} ${body}`),
    );
  });
  const request = { url: new URL(`${url}x?y=1`), method: 'POST', headers: { a: 'b' }, body: 'böy' } as const;
  t.same(await httpRequester(systemClock, LOCALHOST)(request), { status: 500, body: 'POST /x?y=1 b böy' });
});

t.test('a body that is too long counts as no response', async (t) => {
  const url = await serve(t, (_request, response) => void response.end(Buffer.alloc(200_000)));
  t.equal(await get(url), undefined);
});

t.test('a response that drips endlessly is given up in time', async (t) => {
  const url = await serve(t, (_request, response) => void response.write('a'));
  const clock = new ManualClock();
  const answer = httpRequester(clock, LOCALHOST)({ url: new URL(url), method: 'GET' });
  await new Promise((resolve) => setTimeout(resolve, 50));
  clock.advance(3_000);
  t.equal(await answer, undefined);
  t.equal(clock.pending, 0);
});

t.test('an incomplete response counts as none, and so does a closed port', async (t) => {
  const url = await serve(t, (_request, response) => {
    response.writeHead(200, { 'Content-Length': '10' }).write('a');
    response.destroy();
  });
  t.equal(await get(url), undefined);
  t.equal(await get(`http://${LOCALHOST}:1/`), undefined);
});

t.test('no redirect is followed, no name looked up, and no other protocol used', async (t) => {
  const url = await serve(t, (_request, response) => void response.writeHead(302, { Location: url }).end());
  t.match(await get(url), { status: 302 });
  for (const other of ['http://localhost/', 'https://127.0.0.1/', 'file:///etc/passwd', 'http://[::1]/']) {
    t.equal(await get(other), undefined, other);
  }
});

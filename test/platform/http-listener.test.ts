import { request, Server } from 'node:http';
import t, { type Test } from 'tap';
import { HttpListener, type HttpPage } from '../../src/platform/http-listener.js';
import { freeTcpPort } from '../support/processes.js';

async function listen(
  t: Test,
  page: (path: string) => Promise<HttpPage> | undefined,
  onError: (error: Error) => void = (error) => t.fail(error.message),
) {
  const port = await freeTcpPort();
  const listener = new HttpListener({ host: '127.0.0.1', port }, page, onError);
  await listener.listen();
  t.teardown(() => listener.close());
  return (path: string, options: { readonly host?: string; readonly method?: string } = {}) =>
    new Promise<{ status: number; text: string }>((resolve, reject) => {
      const { host = `127.0.0.1:${port}`, method = 'GET' } = options;
      const asked = request({ host: '127.0.0.1', port, path, method, headers: { host } }, (response) => {
        let text = '';
        response.on('data', (bytes: Buffer) => {
          text += bytes.toString();
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      });
      asked.on('error', reject);
      asked.end();
    });
}

const hello = (path: string) =>
  path === '/hello' ? Promise.resolve({ status: 200, type: 'text/plain', text: 'hello\n' }) : undefined;

t.test('the listener serves pages to GET and HEAD, and nothing else', async (t) => {
  const get = await listen(t, hello);
  t.same(await get('/hello?who=me'), { status: 200, text: 'hello\n' });
  t.same(await get('/hello', { method: 'HEAD' }), { status: 200, text: '' });
  t.equal((await get('/other')).status, 404);
  t.equal((await get('/hello', { method: 'POST' })).status, 405);
});

/** Whether a page comes from there. */
const answers = (host: string, port: number) =>
  new Promise<boolean>((resolve) => {
    const asked = request({ host, port, path: '/hello' }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    asked.on('error', () => resolve(false)).end();
  });

t.test(
  'the listener uses every address of a name, because programs connect to localhost on one or the other',
  async (t) => {
    const names: string[] = [];
    const lookUp = async (name: string) => {
      names.push(name);
      return ['127.0.0.2', '127.0.0.3', '192.0.2.1'].map((address) => ({ address, family: 4 }));
    };
    const listenAt = async (host: string) => {
      const listener = new HttpListener({ host, port: 0 }, hello, (error) => t.fail(error.message), lookUp);
      t.teardown(() => listener.close());
      await listener.listen();
      return listener;
    };
    const here = await listenAt('localhost');
    t.same([await answers('127.0.0.1', here.port), await answers('::1', here.port)], [true, true]);
    const named = await listenAt('metrics.example');
    t.same([await answers('127.0.0.2', named.port), await answers('127.0.0.3', named.port)], [true, true]);
    t.same(names, ['metrics.example']);
  },
);

t.test('a listener that was closed before it listened does not listen afterwards', async (t) => {
  const port = await freeTcpPort();
  const listener = new HttpListener({ host: 'localhost', port }, hello, (error) => t.fail(error.message));
  const listening = listener.listen();
  listener.close();
  await listening;
  t.same([await answers('127.0.0.1', port), await answers('::1', port)], [false, false]);
});

t.test('a web page whose name resolves to this machine reads nothing', async (t) => {
  const get = await listen(t, hello);
  for (const host of ['127.0.0.1', '[::1]:9101', 'localhost:9101', 'LOCALHOST']) {
    t.equal((await get('/hello', { host })).status, 200, host);
  }
  for (const host of ['rebound.example', 'rebound.example:9101', '127.0.0.1.example', 'localhost.example']) {
    t.same(await get('/hello', { host }), { status: 403, text: 'use the address, not a name\n' }, host);
  }
});

t.test('a page that throws or rejects is answered with status 500', async (t) => {
  const get = await listen(t, (path) => {
    if (path === '/now') throw new Error('on fire');
    return Promise.reject(new Error('on fire'));
  });
  for (const path of ['/now', '/later']) t.same(await get(path), { status: 500, text: 'on fire\n' });
});

t.test('an error while listening is reported, and the listener continues', async (t) => {
  const errors: string[] = [];
  const get = await listen(t, hello, ({ message }) => void errors.push(message));
  // As Node tells that a connection could not be accepted.
  const handles = (process as unknown as { _getActiveHandles(): unknown[] })._getActiveHandles();
  const server = handles.find((one): one is Server => one instanceof Server && one.listening);
  for (const _time of [1, 2]) server?.emit('error', new Error('accept EMFILE'));
  t.same(errors, ['accept EMFILE', 'accept EMFILE']);
  t.equal((await get('/hello')).status, 200);
});

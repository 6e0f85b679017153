/** Sends one HTTP request to a literal address, bounded in time and size, without redirects, keep-alive or name lookups. */
import { type IncomingMessage, request as requestByNode } from 'node:http';
import type { Clock } from '../../base/clock.js';
import { Endpoint } from '../../base/endpoint.js';

export interface HttpRequest {
  readonly url: URL;
  readonly method: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

/** Resolves to undefined if there was no answer that was small enough and in time; never rejects. */
export type RequestHttp = (request: HttpRequest) => Promise<HttpAnswer | undefined>;

/** Bytes of a body; routers' descriptions have 2 to 20 KiB. */
const MAX_BODY = 128 * 1024;
/** ms from the first byte sent to the last one received. */
const TIMEOUT = 3_000;

/** @param localAddress the address of this machine from which to connect */
export function httpRequester(clock: Clock, localAddress: string): RequestHttp {
  return ({ url, method, headers, body }) =>
    new Promise((resolve) => {
      const to = Endpoint.of(url.hostname, Number(url.port || 80));
      if (url.protocol !== 'http:' || to?.family !== 4) {
        resolve(undefined);
        return;
      }
      const path = url.pathname + url.search;
      const length = body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
      const request = requestByNode({
        host: to.address,
        port: to.port,
        localAddress,
        path,
        method,
        headers: { ...headers, ...length },
        agent: false,
      });
      const finish = (answer: HttpAnswer | undefined): void => {
        timer.cancel();
        resolve(answer);
        request.destroy();
      };
      const timer = clock.after(TIMEOUT, () => finish(undefined));
      request.on('error', () => finish(undefined));
      request.on('response', (response) => collect(response, finish));
      request.end(body);
    });
}

function collect(response: IncomingMessage, finish: (answer: HttpAnswer | undefined) => void): void {
  const chunks: Buffer[] = [];
  let length = 0;
  response.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > MAX_BODY) finish(undefined);
    else chunks.push(chunk);
  });
  response.on('error', () => finish(undefined));
  response.on('close', () => finish(undefined));
  response.on('end', () => finish({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
}

/** One HTTP request to a literal address, bounded in time and size: nothing is followed, kept open, or looked up. */
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

/** @returns undefined when there was no answer, or none that was small enough and in time; never rejects */
export type RequestHttp = (request: HttpRequest) => Promise<HttpAnswer | undefined>;

/** bytes of a body; routers' descriptions have 2 to 20 KiB. */
const LONGEST_BODY = 128 * 1024;
/** ms from the first byte that we send to the last one that comes. */
const PATIENCE = 3_000;

/** @param localAddress of ours, from which to connect */
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
      const timer = clock.after(PATIENCE, () => finish(undefined));
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
    if (length > LONGEST_BODY) finish(undefined);
    else chunks.push(chunk);
  });
  response.on('error', () => finish(undefined));
  response.on('close', () => finish(undefined));
  response.on('end', () => finish({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
}

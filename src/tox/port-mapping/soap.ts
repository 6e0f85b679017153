/** Calls of a UPnP device (UPnP Device Architecture 1.1, chapter 3): SOAP over HTTP. */
import type { HttpAnswer, HttpRequest } from '../network/http-request.js';
import { elementsOf } from './xml.js';

export interface SoapService {
  /** Such as urn:schemas-upnp-org:service:WANIPConnection:1. */
  readonly type: string;
  readonly url: URL;
}

export type SoapResult =
  | { readonly kind: 'done'; readonly values: ReadonlyMap<string, string> }
  | { readonly kind: 'error'; readonly code: number };

/** @param values in the order that the specification has, on which some routers insist */
export function soapRequest(
  { type, url }: SoapService,
  action: string,
  values: Readonly<Record<string, string | number>>,
): HttpRequest {
  const elements = Object.entries(values).map(([name, value]) => `<${name}>${value}</${name}>`);
  const envelope = 'http://schemas.xmlsoap.org/soap/envelope/';
  const encoding = 'http://schemas.xmlsoap.org/soap/encoding/';
  return {
    url,
    method: 'POST',
    headers: { 'Content-Type': 'text/xml; charset="utf-8"', SOAPAction: `"${type}#${action}"`, Connection: 'close' },
    body:
      `<?xml version="1.0"?>\r\n<s:Envelope xmlns:s="${envelope}" s:encodingStyle="${encoding}"><s:Body>` +
      `<u:${action} xmlns:u="${type}">${elements.join('')}</u:${action}></s:Body></s:Envelope>\r\n`,
  };
}

export function soapResult(action: string, answer: HttpAnswer | undefined): SoapResult | undefined {
  if (answer === undefined) return undefined;
  const [values] = answer.status === 200 ? elementsOf(answer.body, `${action}Response`) : [];
  if (values !== undefined) return { kind: 'done', values };
  const code = Number(elementsOf(answer.body, 'UPnPError')[0]?.get('errorCode'));
  return Number.isInteger(code) ? { kind: 'error', code } : undefined;
}

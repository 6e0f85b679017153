/** A tiny DNS server: every name of the zone `lab` has the address 192.0.2.53, and every TXT record the text that was given. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { Test } from 'tap';

const ADDRESS = Buffer.from([192, 0, 2, 53]);
const [TYPE_A, TYPE_TXT, CLASS_IN] = [1, 16, 1];
const TTL = 60;

/** @param txt of any length; strings of at most 255 bytes @returns the port, on loopback */
export async function startNameServer(t: Test, txt: string): Promise<number> {
  const socket = createSocket('udp4');
  socket.on('message', (query, { address, port }) => {
    const answer = answerTo(query, txt);
    if (answer !== undefined) socket.send(answer, port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.teardown(() => socket.close());
  return socket.address().port;
}

/** RFC 1035, 4.1; with one question, and the record of EDNS(0) that dig adds left out. */
function answerTo(query: Buffer, txt: string): Buffer | undefined {
  let at = 12;
  while ((query[at] ?? 0) !== 0) at += 1 + (query[at] as number);
  const end = at + 5;
  if (query.length < end) return undefined;
  const type = query.readUInt16BE(at + 1);
  const data = type === TYPE_A ? ADDRESS : type === TYPE_TXT ? strings(txt) : undefined;
  const header = Buffer.from(query.subarray(0, 12));
  // An answer, authoritative, without an error.
  header.writeUInt16BE(0x8400 | (header.readUInt16BE(2) & 0x0100), 2);
  header.writeUInt16BE(data === undefined ? 0 : 1, 6);
  header.writeUInt32BE(0, 8);
  const question = query.subarray(12, end);
  return data === undefined ? Buffer.concat([header, question]) : Buffer.concat([header, question, record(type, data)]);
}

function record(type: number, data: Buffer): Buffer {
  const head = Buffer.alloc(12);
  // A pointer to the name of the question.
  for (const [index, value] of [0xc00c, type, CLASS_IN, 0, TTL, data.length].entries())
    head.writeUInt16BE(value, index * 2);
  return Buffer.concat([head, data]);
}

function strings(text: string): Buffer {
  const parts = text.match(/.{1,255}/g) ?? [''];
  return Buffer.concat(parts.map((part) => Buffer.concat([Buffer.from([part.length]), Buffer.from(part)])));
}

import t from 'tap';
import { ChunkReader, encodeChunkHeader, encodeErrorChunk } from '../../src/agent/chunks.js';

function read(parts: readonly Buffer[]) {
  const found: string[] = [];
  let after: Buffer | undefined;
  const reader = new ChunkReader({
    onBytes: (bytes) => found.push(bytes.toString()),
    onEnd: () => found.push('END'),
    onError: () => found.push('ERROR'),
  });
  for (const part of parts) after = reader.push(part);
  return { found, after: after?.toString() };
}

const chunk = (text: string): Buffer => Buffer.concat([encodeChunkHeader(text.length), Buffer.from(text)]);

t.test('chunks are read one after another, whatever the reads were', async (t) => {
  const bytes = Buffer.concat([chunk('hello'), chunk(' '), chunk('world'), encodeChunkHeader(0)]);
  t.same(read([bytes]).found, ['hello', ' ', 'world', 'END']);
  for (let size = 1; size < 8; size += 1) {
    const parts = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
      bytes.subarray(at * size, (at + 1) * size),
    );
    const { found } = read(parts);
    t.equal(found.pop(), 'END');
    t.equal(found.join(''), 'hello world');
  }
});

t.test('what follows an error is its line', async (t) => {
  const { found, after } = read([Buffer.concat([chunk('hi'), encodeErrorChunk({ event: 'error', code: 'failed' })])]);
  t.same(found, ['hi', 'ERROR']);
  t.equal(after, '{"event":"error","code":"failed"}\n');
});

t.test('bytes that are handed on are not copied', async (t) => {
  const bytes = chunk('hello');
  let isSame = false;
  new ChunkReader({
    onBytes: (part) => {
      isSame = part.buffer === bytes.buffer;
    },
    onEnd: () => {},
    onError: () => {},
  }).push(bytes);
  t.ok(isSame);
});

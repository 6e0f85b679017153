import t from 'tap';
import { sizeFor, sizeUpTo } from '../../../src/tunnel/stream/block-pool.js';
import { programBlocks } from '../../../src/tunnel/stream/waiting-bytes.js';

const KIB = 1024;

t.test('a block that was released is taken again', async (t) => {
  const block = programBlocks.take(8 * KIB);
  t.equal(block.length, 8 * KIB);
  t.not(programBlocks.take(8 * KIB), block);
  programBlocks.release(block);
  t.equal(programBlocks.take(8 * KIB), block);
});

t.test('a mebibyte of blocks is kept', async (t) => {
  const blocks = new Set(Array.from({ length: 100 }, () => programBlocks.take(64 * KIB)));
  for (const block of blocks) programBlocks.release(block);
  const again = Array.from({ length: 100 }, () => programBlocks.take(64 * KIB));
  t.equal(again.filter((block) => blocks.has(block)).length, 16);
});

t.test('sizes are powers of two from 4 to 64 KiB', async (t) => {
  t.same([0, 4096, 8191, 8192, 1e6].map(sizeUpTo), [4096, 4096, 4096, 8192, 65_536]);
  t.same([0, 4096, 8191, 8192, 8193, 1e6].map(sizeFor), [4096, 4096, 8192, 8192, 16_384, 65_536]);
});

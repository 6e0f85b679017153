import t from 'tap';
import {
  type Inherited,
  inherit,
  inheritedAt,
  takeInheritedDescriptor,
  takeInheritedFile,
} from '../../src/base/inheritance.js';

const file = (): Inherited => ({ kind: 'file', mode: 0o600, size: 6, bytes: Buffer.from('secret') });

t.test('a content is there once, and what is known of its file stays', async (t) => {
  inherit([['/a', file()]]);
  t.equal(takeInheritedFile('/a')?.toString(), 'secret');
  t.equal(takeInheritedFile('/a'), undefined);
  t.match(inheritedAt('/a'), { kind: 'file', mode: 0o600, bytes: undefined });
});

t.test('an open file is there once', async (t) => {
  inherit([['/b', { kind: 'descriptor', fd: 7 }]]);
  t.equal(takeInheritedDescriptor('/b'), 7);
  t.equal(takeInheritedDescriptor('/b'), undefined);
  t.equal(inheritedAt('/b'), undefined);
});

t.test('what is of another kind, or was never left, is not there', async (t) => {
  inherit([
    ['/c', file()],
    ['/d', { kind: 'directory' }],
  ]);
  t.equal(takeInheritedDescriptor('/c'), undefined);
  t.equal(takeInheritedFile('/d'), undefined);
  t.equal(takeInheritedFile('/nothing'), undefined);
  t.equal(inheritedAt('/nothing'), undefined);
});

import t from 'tap';
import { formatLink, type Link, parseLink } from '../../src/config/link.js';
import { newLinkSecret } from '../../src/config/link-secret.js';
import { linkOfBytes, wordsOfLink } from '../../src/config/link-words.js';
import { WordReader } from '../../src/config/words.js';
import { SeededRandom } from '../support/seeded-random.js';

const ID = 'E776E9A993EE3CAE04F5946D9AC66FBBAA8C63A95A94B41942353C6DC1739B4B4C762C7DA7B9';
const random = new SeededRandom(7);

async function read(lines: readonly string[]): Promise<Link> {
  const reader = await WordReader.open();
  for (const line of lines) reader.add(line);
  return linkOfBytes(reader.finish());
}

t.test('a link is read back from its words, with or without a target', async (t) => {
  const targets = ['', '/127.0.0.1:22', '/127.0.0.1:65535', '/nas:80', '/::1:22', `/${'long.'.repeat(20)}example:8080`];
  for (const target of targets) {
    for (let round = 0; round < 20; round += 1) {
      const link = parseLink(`tuntox://${ID}/${newLinkSecret(random)}${target}`);
      const words = (await wordsOfLink(link)) ?? [];
      t.equal(formatLink(await read(words)), formatLink(link));
    }
  }
});

t.test('a link for a port of the server itself has eight lines of six words', async (t) => {
  const words = (await wordsOfLink(parseLink(`tuntox://${ID}/abcdefghijkmnpqrstuv/127.0.0.1:65535`))) ?? [];
  t.equal(words.length, 8);
  for (const line of words) t.equal(line.split(' ').length, 6);
});

t.test('the words of this link never change, because somebody may have written them down', async (t) => {
  t.same(await wordsOfLink(parseLink(`tuntox://${ID}/abcdefghijkmnpqrstuv/127.0.0.1:22`)), [
    'abandon capital sign ocean drastic inspire',
    'pizza miracle pair edge palace evoke',
    'tank spy odor warfare verify moon',
    'scene void pet grit mimic kid',
    'wing stem cover inside fold when',
    'pizza alien love fatigue dad unfair',
    'alarm inflict ensure glove mention reduce',
    'whip case abandon abandon abandon olympic',
  ]);
});

t.test('a secret that a person chose has no words', async (t) => {
  t.equal(await wordsOfLink(parseLink(`tuntox://${ID}/correct-horse/127.0.0.1:22`)), undefined);
});

t.test('bytes that are no link, or one of a later version, are refused', async (t) => {
  const cases: [Buffer, RegExp][] = [
    [Buffer.alloc(0), /are not a link/],
    [Buffer.alloc(48), /are not a link/],
    [Buffer.alloc(60, 0x10), /or one of a newer version/],
    [Buffer.concat([Buffer.alloc(13), Buffer.alloc(32, 0xff), Buffer.alloc(4)]), /no Tox peer can have the key/],
    [Buffer.concat([Buffer.alloc(49), Buffer.from('99999')]), /"99999" is not a port/],
    [Buffer.concat([Buffer.alloc(49), Buffer.from([0xff, 0xfe])]), /is not host:port/],
  ];
  for (const [bytes, message] of cases) t.throws(() => linkOfBytes(bytes), { code: 'format', message });
});

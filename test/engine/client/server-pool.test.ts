import t from 'tap';
import { ServerPool } from '../../../src/engine/client/server-pool.js';
import { PublicKey } from '../../../src/tox/crypto/keys.js';
import { ToxId } from '../../../src/tox/crypto/tox-id.js';
import { ManualClock } from '../../support/manual-clock.js';

const idOf = (byte: number): ToxId => new ToxId(new PublicKey(Buffer.alloc(32, byte)), Buffer.alloc(4));
const [ANN, BEN] = [idOf(1), idOf(2)];
const IDLE_TIME = 600_000;

class FakeServer {
  readonly id: ToxId;
  readonly secrets: string[] = [];
  hasLeft = false;

  constructor(id: ToxId) {
    this.id = id;
  }

  useSecret(secret: Buffer): void {
    this.secrets.push(secret.toString());
  }

  leave(): void {
    this.hasLeft = true;
  }
}

function start() {
  const clock = new ManualClock();
  const made: FakeServer[] = [];
  const connect = (id: ToxId): FakeServer => {
    const server = new FakeServer(id);
    made.push(server);
    return server;
  };
  const pool = new ServerPool<FakeServer>({ clock, connect }, { idleTime: IDLE_TIME });
  return { clock, pool, made };
}

t.test('two holders of a server share one connection, and another server has its own', async (t) => {
  const { pool, made } = start();
  const first = pool.hold({ id: ANN, secret: undefined });
  const second = pool.hold({ id: ANN, secret: undefined });
  t.equal(first.server, second.server);
  t.not(pool.hold({ id: BEN, secret: undefined }).server, first.server);
  t.equal(made.length, 2);
  t.same(
    pool.list().map(({ holders }) => holders),
    [2, 1],
  );
});

t.test('a server stays connected for the idle time after its last holder has gone', async (t) => {
  const { clock, pool } = start();
  const [first, second] = [1, 2].map(() => pool.hold({ id: ANN, secret: undefined }));
  first?.release();
  clock.advance(2 * IDLE_TIME);
  t.ok(pool.find(ANN.publicKey), 'it is held');
  second?.release();
  clock.advance(IDLE_TIME - 1);
  t.notOk(first?.server.hasLeft);
  clock.advance(1);
  t.ok(first?.server.hasLeft);
  t.notOk(pool.find(ANN.publicKey));
});

t.test('who comes within the idle time finds the connection warm, and keeps it', async (t) => {
  const { clock, pool, made } = start();
  pool.hold({ id: ANN, secret: undefined }).release();
  clock.advance(IDLE_TIME - 1);
  const again = pool.hold({ id: ANN, secret: undefined });
  clock.advance(2 * IDLE_TIME);
  t.equal(made.length, 1);
  t.notOk(again.server.hasLeft);
});

t.test('releasing twice counts once', async (t) => {
  const { clock, pool } = start();
  const first = pool.hold({ id: ANN, secret: undefined });
  const second = pool.hold({ id: ANN, secret: undefined });
  first.release();
  first.release();
  clock.advance(2 * IDLE_TIME);
  t.notOk(second.server.hasLeft);
});

t.test('a holder with a secret has the connection use it, and one without changes nothing', async (t) => {
  const { pool, made } = start();
  pool.hold({ id: ANN, secret: undefined });
  pool.hold({ id: ANN, secret: Buffer.from('new') });
  pool.hold({ id: ANN, secret: undefined });
  t.same(made[0]?.secrets, ['new']);
});

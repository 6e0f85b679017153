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
  #onChange: (isOnline: boolean) => void = () => {};

  constructor(id: ToxId) {
    this.id = id;
  }

  useSecrets(secrets: readonly (Buffer | undefined)[]): void {
    this.secrets.push(secrets.map((secret) => secret?.toString() ?? 'none').join());
  }

  onChange(listener: (isOnline: boolean) => void): () => void {
    this.#onChange = listener;
    return () => {};
  }

  become(state: 'online' | 'offline'): void {
    this.#onChange(state === 'online');
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

t.test('a server that is left ends with its last holder, or at once without one', async (t) => {
  const { clock, pool, made } = start();
  const [first, second] = [1, 2].map(() => pool.hold({ id: ANN, secret: undefined }));
  t.equal(pool.leave(ANN.publicKey), 2);
  first?.release();
  t.notOk(made[0]?.hasLeft);
  second?.release();
  t.ok(made[0]?.hasLeft);
  t.notOk(pool.find(ANN.publicKey));
  pool.hold({ id: ANN, secret: undefined }).release();
  t.equal(pool.leave(ANN.publicKey), 0);
  t.ok(made[1]?.hasLeft);
  t.equal(pool.leave(ANN.publicKey), 0, 'once more');
  t.equal(clock.pending, 0);
});

t.test('who comes after a server was left keeps it for the idle time again', async (t) => {
  const { clock, pool, made } = start();
  const first = pool.hold({ id: ANN, secret: undefined });
  pool.leave(ANN.publicKey);
  const second = pool.hold({ id: ANN, secret: undefined });
  first.release();
  second.release();
  clock.advance(IDLE_TIME - 1);
  t.notOk(made[0]?.hasLeft);
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

t.test(
  'the server is asked with the secrets of all that hold it, each once, and not with that of one that has gone',
  async (t) => {
    const { pool, made } = start();
    const holders = [undefined, 'right', 'wrong', 'right'].map((secret) =>
      pool.hold({ id: ANN, secret: secret === undefined ? undefined : Buffer.from(secret) }),
    );
    t.same(made[0]?.secrets.splice(0), ['none', 'right', 'right,wrong', 'right,wrong']);
    holders[2]?.release();
    holders[1]?.release();
    t.same(made[0]?.secrets.splice(0), ['right', 'right'], 'the fourth holder has it too');
    holders[3]?.release();
    t.same(made[0]?.secrets.splice(0), ['none']);
    holders[0]?.release();
    t.same(made[0]?.secrets.splice(0), [], 'the last ones are for a connection that is lost in the idle time');
  },
);

t.test('a holder with ever new secrets does not delay the others without end', async (t) => {
  const { pool, made } = start();
  for (let count = 1; count <= 20; count += 1) pool.hold({ id: ANN, secret: Buffer.from(`${count}`) });
  t.equal(made[0]?.secrets.at(-1), '1,2,3,4,5,6,7,8');
});

/** Whether a holder learns that the server has admitted us by this secret. */
const isAdmittedBy = (pool: ServerPool<FakeServer>, secret: string | undefined): boolean =>
  pool.hold({ id: ANN, secret: secret === undefined ? undefined : Buffer.from(secret) }).isAdmittedBySecret;

t.test('who comes with the secret by which the server has admitted us learns that it is right', async (t) => {
  const { pool, made } = start();
  pool.hold({ id: ANN, secret: Buffer.from('right') }).release();
  t.equal(isAdmittedBy(pool, 'right'), false, 'before the server answers');
  made[0]?.become('online');
  t.equal(isAdmittedBy(pool, 'right'), true);
  t.equal(isAdmittedBy(pool, 'other'), false);
  t.equal(isAdmittedBy(pool, undefined), false);
});

t.test('without a secret there is none by which the server has admitted us', async (t) => {
  const { pool, made } = start();
  pool.hold({ id: ANN, secret: undefined });
  made[0]?.become('online');
  t.equal(isAdmittedBy(pool, undefined), false);
  t.equal(isAdmittedBy(pool, 'any'), false);
});

t.test('if several secrets were offered, it is not known which one is right', async (t) => {
  const { pool, made } = start();
  for (const secret of ['one', 'two']) pool.hold({ id: ANN, secret: Buffer.from(secret) });
  made[0]?.become('online');
  for (const secret of ['one', 'two']) t.equal(isAdmittedBy(pool, secret), false, secret);
});

t.test('a secret that came later is not taken for right when the server, which knows us, comes back', async (t) => {
  const { pool, made } = start();
  pool.hold({ id: ANN, secret: Buffer.from('right') }).release();
  made[0]?.become('online');
  pool.hold({ id: ANN, secret: Buffer.from('later') });
  made[0]?.become('offline');
  made[0]?.become('online');
  t.equal(isAdmittedBy(pool, 'later'), false);
  t.equal(isAdmittedBy(pool, 'right'), true);
});

/**
 * The exchange service and its client as programs, for tests whose network is not that of the test itself:
 *
 *     exchange-command.js serve                     prints PORT n
 *     exchange-command.js PORT SEED UP DOWN COUNT   COUNT exchanges at once, SEED0, SEED1, …; prints WHOLE ms
 */
import { exchange, startExchangeService } from './exchange.js';

const [first, seed, up, down, count] = process.argv.slice(2);

if (first === 'serve') {
  const { port } = await startExchangeService();
  console.log(`PORT ${port}`);
} else {
  const started = performance.now();
  const all = Array.from({ length: Number(count) }, (_, index) =>
    exchange(Number(first), { seed: `${seed}${index}`, up: Number(up), down: Number(down) }),
  );
  await Promise.all(all);
  console.log(`WHOLE ${Math.round(performance.now() - started)} ms`);
}

import t from 'tap';
import { ServiceList } from '../../../src/tunnel/link/service-list.js';
import type { Service } from '../../../src/tunnel/wire/target.js';
import { ManualClock } from '../../support/manual-clock.js';

const WEB = { name: 'web', port: 80 };
const SSH = { name: 'ssh', port: 22 };

/** One frame for each service, and one for the end of the list. */
function setup() {
  const clock = new ManualClock();
  const sent: string[] = [];
  const state = { hasRoom: true, services: [SSH] as readonly Service[], asked: 0 };
  const scheduler = {
    get hasRoom() {
      return state.hasRoom;
    },
    push: (frame: Buffer) => {
      sent.push(frame.toString());
      state.hasRoom = false;
    },
  };
  const services = () => {
    state.asked += 1;
    return state.services;
  };
  const encode = (list: readonly Service[]): Buffer[] =>
    [...list.map(({ name }) => name), '.'].map((one) => Buffer.from(one));
  const list = new ServiceList({ clock, scheduler, services, encode });
  const taken = (): string => {
    state.hasRoom = true;
    return sent.splice(0).join(' ');
  };
  return { clock, state, list, taken };
}

t.test('a list goes out whole, though its first frame takes the last room', async (t) => {
  const { state, list, taken } = setup();
  state.services = [SSH, WEB];
  t.equal(list.answerHello(), true);
  t.equal(taken(), 'ssh web .');
});

t.test('a list for which there is no room goes out when there is, as it is then', async (t) => {
  const { state, list, taken } = setup();
  state.hasRoom = false;
  list.answerHello();
  list.onDrain();
  t.equal(state.asked, 0, 'nothing is computed before there is room');
  state.services = [WEB];
  t.equal(taken(), '');
  list.onDrain();
  t.equal(taken(), 'web .');
  list.onDrain();
  t.equal(taken(), '', 'once');
});

t.test('a change of access that leaves the list as it is sends nothing', async (t) => {
  const { state, list, taken } = setup();
  list.answerHello();
  t.equal(taken(), 'ssh .');
  list.announce();
  t.equal(taken(), '');
  state.services = [];
  list.announce();
  t.equal(taken(), '.');
});

t.test('a flood of hellos is answered four times, and then once a second', async (t) => {
  const { clock, state, list, taken } = setup();
  const answer = (): boolean => {
    taken();
    return list.answerHello();
  };
  const answers = (): number => Array.from({ length: 10 }, answer).filter(Boolean).length;
  t.equal(answers(), 4);
  clock.advance(1000);
  t.equal(answers(), 1);
  t.equal(state.asked, 5, 'the rules are asked for the answered ones only');
});

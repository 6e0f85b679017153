/** What `tuntoxctl top` shows, and what keys do to it. Pure: it asks for effects, and is told the time. */
import type { Style } from '../../output.js';
import { firstShown, Selection } from './selection.js';
import {
  type Client,
  clientColumns,
  clientRow,
  clientText,
  type Line,
  linesOf,
  rowsOf,
  type Screen,
  type Size,
  type Tunnel,
  titleOfClient,
  titleOfClients,
  tunnelColumns,
  tunnelRow,
} from './top-screen.js';
import { TrafficHistory } from './traffic-history.js';

export const ORDERS = ['traffic', 'in', 'out', 'rtt', 'tunnels', 'name'] as const;
export type Order = (typeof ORDERS)[number];

/** What a key asks for. */
export type Effect =
  | { readonly kind: 'quit' }
  | { readonly kind: 'interrupt' }
  | { readonly kind: 'suspend' }
  /** Watches the tunnels of a client, or no longer those of any. */
  | { readonly kind: 'watch-tunnels'; readonly publicKey: string | undefined }
  | { readonly kind: 'kick'; readonly publicKey: string; readonly name: string }
  | { readonly kind: 'close'; readonly connection: string };

interface Question {
  readonly text: string;
  readonly effect: Effect;
}

const CLIENT_KEYS = 'q quit  ↑↓ select  Enter tunnels  k kick  s sort';
const TUNNEL_KEYS = 'q quit  ← back  ↑↓ select  c close  k kick client';
const QUIT: Effect = { kind: 'quit' };

export class TopState {
  #order: Order;
  #clients: readonly Client[] = [];
  /** Before the first list. */
  #isUnasked = true;
  readonly #traffic = new TrafficHistory();
  readonly #selectedClient = new Selection();
  #firstClient = 0;
  /** The key of the client whose tunnels are shown. */
  #opened: string | undefined;
  #tunnels: readonly Tunnel[] = [];
  #tunnelTraffic = new TrafficHistory();
  #selectedTunnel = new Selection();
  #firstTunnel = 0;
  #question: Question | undefined;
  #message: Line = { text: '', style: 'plain' };
  #trouble: string | undefined;

  constructor(order: Order) {
    this.#order = order;
  }

  /** @param now ms of the clock */
  setClients(clients: readonly Client[], now: number): void {
    this.#isUnasked = false;
    if (this.#trouble !== undefined) this.say('');
    this.#trouble = undefined;
    const totals = clients.map(({ client, bytesReceived, bytesSent }) => {
      return [client.publicKey, { received: bytesReceived, sent: bytesSent }] as const;
    });
    this.#traffic.add(new Map(totals), now);
    this.#clients = this.#sorted(clients);
  }

  /** @param now ms of the clock */
  setTunnels(tunnels: readonly Tunnel[], now: number): void {
    this.#tunnels = tunnels;
    const totals = tunnels.map(({ id, bytesReceived, bytesSent }) => {
      return [id, { received: bytesReceived, sent: bytesSent }] as const;
    });
    this.#tunnelTraffic.add(new Map(totals), now);
  }

  /** Shows it until the next key. */
  say(text: string, style: Style = 'plain'): void {
    this.#message = { text, style };
  }

  /** Shows it until there are clients again. */
  setTrouble(text: string): void {
    this.#trouble = text;
  }

  /** The client whose tunnels were shown is gone. */
  leaveTunnels(): void {
    this.#opened = undefined;
    this.#question = undefined;
  }

  /** @param key its name, or the character @param size of the terminal */
  onKey(key: string, size: Size): Effect | undefined {
    if (key === 'ctrl-c') return { kind: 'interrupt' };
    if (key === 'ctrl-z') return { kind: 'suspend' };
    this.say('');
    const question = this.#question;
    this.#question = undefined;
    if (question !== undefined) return key === 'y' ? question.effect : undefined;
    if (key === 'q') return QUIT;
    return this.#opened === undefined ? this.#onClientKey(key, size) : this.#onTunnelKey(key, size);
  }

  lines(size: Size, unixTime: number): Line[] {
    const screen = this.#opened === undefined ? this.#clientScreen(size) : this.#tunnelScreen(size, unixTime);
    return linesOf({ ...screen, isOld: this.#trouble !== undefined }, size);
  }

  #onClientKey(key: string, size: Size): Effect | undefined {
    const ids = this.#clients.map(({ client }) => client.publicKey);
    const publicKey = this.#selectedClient.idIn(ids);
    if (moved(this.#selectedClient, ids, { key, rows: rowsOf(size, ['']) })) return undefined;
    switch (key) {
      case 's':
        this.#order = ORDERS[(ORDERS.indexOf(this.#order) + 1) % ORDERS.length] as Order;
        this.#clients = this.#sorted(this.#clients);
        this.say(`sorted by ${this.#order}`);
        return undefined;
      case 'return':
      case 'right':
        if (publicKey === undefined) return undefined;
        this.#open(publicKey);
        return { kind: 'watch-tunnels', publicKey };
      case 'k':
        this.#askToKick(publicKey);
        return undefined;
      default:
        return undefined;
    }
  }

  #onTunnelKey(key: string, size: Size): Effect | undefined {
    const ids = this.#tunnels.map(({ id }) => id);
    const connection = this.#selectedTunnel.idIn(ids);
    if (moved(this.#selectedTunnel, ids, { key, rows: rowsOf(size, ['', '', '', '']) })) return undefined;
    switch (key) {
      case 'left':
      case 'escape':
      case 'backspace':
        this.leaveTunnels();
        return { kind: 'watch-tunnels', publicKey: undefined };
      case 'k':
        this.#askToKick(this.#opened);
        return undefined;
      case 'c':
        if (connection === undefined) return undefined;
        this.#question = { text: `close ${connection}? (y/N)`, effect: { kind: 'close', connection } };
        return undefined;
      default:
        return undefined;
    }
  }

  #open(publicKey: string): void {
    this.#opened = publicKey;
    this.#tunnels = [];
    this.#tunnelTraffic = new TrafficHistory();
    this.#selectedTunnel = new Selection();
    this.#firstTunnel = 0;
  }

  #askToKick(publicKey: string | undefined): void {
    const found = this.#clients.find(({ client }) => client.publicKey === publicKey);
    if (publicKey === undefined || found === undefined) return;
    const name = clientText(found.client);
    const text = `kick ${name} and close its tunnels? It may connect again. (y/N)`;
    this.#question = { text, effect: { kind: 'kick', publicKey, name } };
  }

  #clientScreen(size: Size): Omit<Screen, 'isOld'> {
    const clients = this.#clients;
    const ratesOf = (id: string) => this.#traffic.ratesOf(id);
    const title = this.#isUnasked ? [''] : titleOfClients(clients, ratesOf);
    const { columns, bars } = clientColumns(clients, size);
    const selected = this.#selectedClient.indexIn(clients.map(({ client }) => client.publicKey));
    const rows = rowsOf(size, title);
    this.#firstClient = firstShown(this.#firstClient, { index: selected, count: clients.length, rows });
    const list = {
      columns,
      rows: clients
        .slice(this.#firstClient, this.#firstClient + rows)
        .map((client) => clientRow(client, ratesOf(client.client.publicKey), bars)),
      selected: selected - this.#firstClient,
    };
    const [heading = ''] = title;
    const more = clients.length > rows ? `   ${selected + 1} of ${clients.length}` : '';
    return {
      title: [heading + more],
      list,
      empty: this.#isUnasked ? '' : 'no client was admitted',
      ...this.#last(CLIENT_KEYS),
    };
  }

  #tunnelScreen(size: Size, now: number): Omit<Screen, 'isOld'> {
    const client = this.#clients.find((one) => one.client.publicKey === this.#opened);
    const rates = this.#traffic.ratesOf(this.#opened ?? '');
    const title =
      client === undefined
        ? ['this client is gone', '', '', '']
        : titleOfClient(client, rates, { now, columns: size.columns });
    const tunnels = this.#tunnels;
    const selected = this.#selectedTunnel.indexIn(tunnels.map(({ id }) => id));
    const rows = rowsOf(size, title);
    this.#firstTunnel = firstShown(this.#firstTunnel, { index: selected, count: tunnels.length, rows });
    const list = {
      columns: tunnelColumns(size),
      rows: tunnels
        .slice(this.#firstTunnel, this.#firstTunnel + rows)
        .map((tunnel) => tunnelRow(tunnel, this.#tunnelTraffic.ratesOf(tunnel.id))),
      selected: selected - this.#firstTunnel,
    };
    return { title, list, empty: 'no tunnels', ...this.#last(TUNNEL_KEYS) };
  }

  #last(keys: string): Pick<Screen, 'message' | 'footer'> {
    const message: Line = this.#trouble === undefined ? this.#message : { text: this.#trouble, style: 'warning' };
    if (this.#question === undefined) return { message, footer: { text: keys, style: 'faint' } };
    return { message, footer: { text: this.#question.text, style: 'alarm' } };
  }

  /** Connected clients first; those that are equal in what it sorts by stay in the order of their admission. */
  #sorted(clients: readonly Client[]): readonly Client[] {
    const value = (client: Client): number => this.#valueOf(client);
    const byName = (one: Client, other: Client): number =>
      clientText(one.client).localeCompare(clientText(other.client), 'en', { numeric: true });
    return [...clients].sort((one, other) => {
      if (one.online !== other.online) return one.online ? -1 : 1;
      return this.#order === 'name' ? byName(one, other) : value(other) - value(one);
    });
  }

  #valueOf({ client, roundTripMs, tunnels }: Client): number {
    const rates = this.#traffic.ratesOf(client.publicKey);
    switch (this.#order) {
      case 'traffic':
        return this.#traffic.trafficOf(client.publicKey);
      case 'in':
        return rates.received.at(-1) ?? 0;
      case 'out':
        return rates.sent.at(-1) ?? 0;
      case 'rtt':
        return roundTripMs ?? 0;
      case 'tunnels':
        return tunnels;
      case 'name':
        return 0;
    }
  }
}

/** @returns whether the key moved the selection */
function moved(
  selection: Selection,
  ids: readonly string[],
  { key, rows }: { readonly key: string; readonly rows: number },
): boolean {
  const step: Readonly<Record<string, number>> = {
    up: -1,
    down: 1,
    pageup: -rows,
    pagedown: rows,
    home: -ids.length,
    end: ids.length,
  };
  const by = Object.hasOwn(step, key) ? step[key] : undefined;
  if (by === undefined) return false;
  selection.move(ids, by);
  return true;
}

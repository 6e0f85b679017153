/** A line for each command of tuntoxctl, which works with the scripted daemon. */
import { KEYS } from './daemon.js';

export const LINES: readonly (readonly string[])[] = [
  ['status'],
  ['status', '--wait'],
  ['id'],
  ['id', '--qr'],
  ['net'],
  ['connections'],
  ['connections', 'list', '--client', 'laptop'],
  ['connections', 'list', '--watch'],
  ['connections', 'close', 'c-17'],
  ['connections', 'close', '--client', 'laptop', '--dry-run'],
  ['clients', 'list'],
  ['clients', 'show', 'laptop'],
  ['clients', 'kick', 'laptop'],
  ['clients', 'kick', 'laptop', '--for', '1h'],
  ['clients', 'kick', 'laptop', '--for', '1h', '--dry-run'],
  ['clients', 'pending'],
  ['clients', 'approve', 'canal', 'brave', 'ivory', 'mango', 'slim', 'zebra', '--name', 'laptop'],
  ['clients', 'approve', '9F3A11C2', '--dry-run'],
  ['whitelist', 'list'],
  ['whitelist', 'add', KEYS.laptop, '--name', 'laptop', '--allow', '127.0.0.1:22', '--expires', '30d', '--note', 'x'],
  ['whitelist', 'add', KEYS.laptop, '--adopt', '--yes', '--dry-run'],
  ['whitelist', 'edit', 'laptop', '--expires', 'never', '--allow', 'any'],
  ['whitelist', 'remove', 'laptop'],
  ['whitelist', 'remove', 'laptop', '--dry-run'],
  ['whitelist', 'import', '-'],
  ['whitelist', 'export', '-'],
  ['whitelist', 'off', '--yes'],
  ['secret', 'status'],
  ['secret', 'set', '--stdin'],
  ['secret', 'rotate', '--grace', '24h'],
  ['secret', 'rotate', '--drop-sessions'],
  ['secret', 'off', '--dry-run'],
  ['rules', 'list'],
  ['rules', 'check', '--client', 'laptop', '--target', '127.0.0.1:22'],
  ['rules', 'check', '--client', 'laptop', '--target', '127.0.0.1:80'],
  ['bans', 'list'],
  ['bans', 'clear'],
  ['bans', 'clear', 'abcdef01', '--dry-run'],
  ['config', 'check'],
  ['config', 'show'],
  ['config', 'reload'],
  ['log', 'tail', '-n', '5'],
  ['log', 'level', 'debug'],
  ['ping', 'laptop'],
  ['metrics'],
  ['version'],
];

/** What those read that read something. */
export const INPUTS: Readonly<Record<string, string>> = {
  'whitelist import': `${KEYS.ci} ci # the build machine\n\n${KEYS.laptop}\n`,
  'secret set': 'correct horse\n',
};

export const inputOf = (words: readonly string[]): string => INPUTS[words.slice(0, 2).join(' ')] ?? '';

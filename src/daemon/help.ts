/** What `tuntoxd -h` prints: made of the settings themselves, so that it cannot lag behind them. */
import type { SettingList } from '../config/setting-list.js';

const HEAD = `Usage: tuntoxd [--config FILE] [--SETTING VALUE]…

Lets Tox clients reach TCP services of this machine, and is managed by tuntoxctl.
With nothing configured it starts closed: tuntoxctl whitelist add, or tuntoxctl
secret rotate, lets somebody in.

  -c, --config FILE      the settings (default /etc/tuntox/tuntox.yaml, or $TUNTOX_CONFIG)
      --check            say what is wrong with the settings, and end
  -z, -D                 run in the background
  -F FILE                write the process id there
  -S                     log to syslog
  -C DIR  -U USER        --state-dir, --user
  -d  -q                 --log-level debug, error
  -h, --help  -V, --version

Settings, in the file under their names, in the environment, or as flags:
`;

const FOOT = `
Signals: SIGHUP reads the settings anew, SIGTERM and SIGINT end it, a second one at once.
Exit status: 0 ended as told, 1 it did not work, 2 wrong flags or settings.
`;

export function helpText(list: SettingList): string {
  const lines = [...list.values()].flatMap(({ flag, key, variable, doc, usual }) => {
    const shown = usual === '' || (Array.isArray(usual) && usual.length === 0) ? '' : ` [${usual}]`;
    return [`  ${flag}`, `      ${doc}${shown}`, `      ${key}, ${variable}`];
  });
  return `${HEAD}\n${lines.join('\n')}\n${FOOT}`;
}

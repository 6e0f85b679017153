/** The help of `tuntoxd`, made from its options and settings, at most 80 columns wide. Pure. */
import { entry, lines, optionEntry, paragraph } from '../base/help-layout.js';
import { DAEMON_OPTIONS, SETTING_OPTIONS } from '../config/daemon-flags.js';

const USAGE = `tuntoxd - let Tox clients reach TCP services of this machine

Usage: tuntoxd [options] [--SETTING VALUE]...
`;

const OPTIONS = ['Options:', ...DAEMON_OPTIONS.map(optionEntry)];

/** The answer to `tuntoxd -h`: at most 30 lines. */
export const BRIEF_HELP = lines(
  USAGE,
  'Examples:',
  '  systemctl enable --now tuntox      run it under systemd',
  '  tuntoxd --check                    check the settings',
  '  tuntoxd -C ~/.tuntoxd --verbose    run it in the foreground',
  '',
  ...OPTIONS,
  '',
  'tuntoxd --help lists the settings. See also: man tuntoxd, man tuntox.yaml',
);

export const HELP = lines(
  USAGE,
  paragraph(
    'The daemon is managed with tuntoxctl. It admits no client at first: tuntoxctl invite create makes a link for one, tuntoxctl whitelist add admits a key, and tuntoxctl secret rotate makes a secret for all.',
  ),
  '',
  ...OPTIONS,
  '',
  'Settings, with their names in the settings file and in the environment:',
  ...SETTING_OPTIONS.map(({ setting, ...option }) => {
    const { doc, defaultValue, key, variable } = setting;
    const isEmpty = defaultValue === '' || (Array.isArray(defaultValue) && defaultValue.length === 0);
    return `${optionEntry({ ...option, about: isEmpty ? doc : `${doc} [${defaultValue}]` })}\n${entry('', `${key}, ${variable}`)}`;
  }),
  '',
  paragraph('Signals: SIGHUP reloads the settings. SIGTERM and SIGINT stop the daemon, a second one at once.'),
  'Exit status: 0 stopped by a signal, 1 failure, 2 error in options or settings.',
);

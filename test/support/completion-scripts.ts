/** The completions of tuntox and tuntoxd, made from their tables of options. */
import type { OptionSyntax } from '../../src/base/command-line.js';

export interface CompletedOption extends OptionSyntax {
  /** One clause. */
  readonly about: string;
  readonly isRepeatable?: boolean;
  readonly completes?: 'file' | 'directory' | 'user' | readonly string[];
}

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** What is completed beside the options. */
export interface CompletedWords {
  /** As the first argument, beside the stored hosts. */
  readonly commands: readonly string[];
  /** Commands whose arguments are stored hosts, or certain words. */
  readonly withArguments: readonly { readonly name: string; readonly completes: 'hosts' | readonly string[] }[];
}

export function completionScript(
  shell: Shell,
  command: string,
  options: readonly CompletedOption[],
  words?: CompletedWords,
): string {
  return { bash, zsh, fish }[shell](command, options, words);
}

/** The names of hosts.json, as `JsonFile` writes it, and of upstream's file; without characters that a shell would change. */
const OWN_NAMES = `sed -n 's/^ *"name": "\\([^"]*\\)",*$/\\1/p'`;
const UPSTREAM_NAMES = `sed -n 's/^[[:blank:]]*\\([^#[:blank:]][^[:blank:]]*\\)[[:blank:]].*/\\1/p'`;
const HARMLESS_NAMES = `grep -x '[A-Za-z0-9][A-Za-z0-9._-]*'`;

const hostsFunction = (command: string): string => `_${command}_hosts() {
  {
    ${OWN_NAMES} "\${XDG_CONFIG_HOME:-$HOME/.config}/tuntox/hosts.json"
    ${UPSTREAM_NAMES} "$HOME/.tuntox/hosts"
  } 2>/dev/null | ${HARMLESS_NAMES}
}
`;

const namesOf = ({ name, short = '' }: OptionSyntax): string[] => [name, ...[...short].map((letter) => `-${letter}`)];

const NOTE = (command: string, shell: Shell): string =>
  `# Completion of ${command} for ${shell}, made by \`make manual\`\n`;

function bash(command: string, options: readonly CompletedOption[], words?: CompletedWords): string {
  const reply = (words: string): string => `COMPREPLY=(); mapfile -t COMPREPLY < <(compgen ${words} -- "$current")`;
  const cases = new Map<string, string[]>();
  for (const option of options) {
    // An optional value is written as in --option=value, which needs no case.
    if (option.value === undefined || option.isValueOptional === true) continue;
    const action = actionOf(option, {
      file: `compopt -o filenames 2>/dev/null; ${reply('-f')}`,
      directory: `compopt -o filenames 2>/dev/null; ${reply('-d')}`,
      user: reply('-u'),
      words: (words) => reply(`-W '${words.join(' ')}'`),
      none: ':',
    });
    cases.set(action, [...(cases.get(action) ?? []), ...namesOf(option)]);
  }
  return `${NOTE(command, 'bash')}${words === undefined ? '' : hostsFunction(command)}_${command}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD - 1]}"
  COMPREPLY=()
  case $previous in
${[...cases].map(([action, names]) => `    ${names.join(' | ')}) ${action} ;;\n`).join('')}    *)
      local words='${options.flatMap(namesOf).join(' ')}'
${words === undefined ? '' : bashWords(command, words)}      ${reply('-W "$words"')}
      ;;
  esac
}
complete -F _${command} ${command}
`;
}

const bashWords = (
  command: string,
  { commands, withArguments }: CompletedWords,
): string => `      case $COMP_CWORD:\${COMP_WORDS[1]} in
        1:*) words+=' ${commands.join(' ')} '$(_${command}_hosts) ;;
${withArguments.map(({ name, completes }) => `        *:${name}) words+=' '${completes === 'hosts' ? `$(_${command}_hosts)` : `'${completes.join(' ')}'`} ;;\n`).join('')}      esac
`;

function zsh(command: string, options: readonly CompletedOption[], words?: CompletedWords): string {
  const quoted = (text: string): string => text.replaceAll("'", "'\\''").replaceAll(/[[\]:]/g, '\\$&');
  const lines = options.map((option) => {
    const names = namesOf(option);
    const action = actionOf(option, {
      file: '_files',
      directory: '_directories',
      user: '_users',
      words: (words) => `(${words.join(' ')})`,
      none: '',
    });
    const isOptional = option.isValueOptional === true;
    const value = option.value === undefined ? '' : `${isOptional ? '::' : ':'}${quoted(option.value)}:${action}`;
    const others = option.isRepeatable === true ? '*' : names.length > 1 ? `(${names.join(' ')})` : '';
    const shown = names.length > 1 ? `{${names.join(',')}}` : `'${names[0]}`;
    const explained = `[${quoted(option.about)}]${value}'`;
    return names.length > 1 ? `  '${others}'${shown}'${explained}` : `  '${others}${names[0]}${explained}`;
  });
  if (words !== undefined) lines.push(`  '1: :_${command}_first'`, `  '*: :_${command}_further'`);
  return `#compdef ${command}\n${NOTE(command, 'zsh')}${words === undefined ? '' : zshWords(command, words)}_arguments -S \\\n${lines.join(' \\\n')}\n`;
}

const zshWords = (
  command: string,
  { commands, withArguments }: CompletedWords,
): string => `${hostsFunction(command)}_${command}_first() {
  compadd ${commands.join(' ')} $(_${command}_hosts)
}
_${command}_further() {
  case $words[2] in
${withArguments.map(({ name, completes }) => `    ${name}) compadd ${completes === 'hosts' ? `$(_${command}_hosts)` : completes.join(' ')} ;;\n`).join('')}    *) _default ;;
  esac
}
`;

function fish(command: string, options: readonly CompletedOption[], words?: CompletedWords): string {
  const quoted = (text: string): string => `'${text.replaceAll("'", "\\'")}'`;
  const lines = options.map((option) => {
    const { name, short = '', about } = option;
    const action = actionOf(option, {
      file: '-r -F',
      directory: "-x -a '(__fish_complete_directories (commandline -ct))'",
      user: "-x -a '(__fish_complete_users)'",
      words: (words) => `-x -a '${words.join(' ')}'`,
      none: '-x',
    });
    const letters = [...short].map((letter) => `-s ${letter} `).join('');
    return `complete -c ${command} ${letters}-l ${name.slice(2)} ${option.value === undefined ? '' : `${action} `}-d ${quoted(about)}\n`;
  });
  if (words !== undefined) lines.unshift(fishWords(command, words));
  return `${NOTE(command, 'fish')}complete -c ${command} -f\n${lines.join('')}`;
}

const fishWords = (command: string, { commands, withArguments }: CompletedWords): string => `function __${command}_hosts
  set -l config $XDG_CONFIG_HOME
  test -n "$config"; or set config ~/.config
  begin
    ${OWN_NAMES} $config/tuntox/hosts.json
    ${UPSTREAM_NAMES} ~/.tuntox/hosts
  end 2>/dev/null | ${HARMLESS_NAMES}
end
complete -c ${command} -n __fish_use_subcommand -a '${commands.join(' ')} (__${command}_hosts)'
${withArguments.map(({ name, completes }) => `complete -c ${command} -n '__fish_seen_subcommand_from ${name}' -a '${completes === 'hosts' ? `(__${command}_hosts)` : completes.join(' ')}'\n`).join('')}`;

interface Actions {
  readonly file: string;
  readonly directory: string;
  readonly user: string;
  words(words: readonly string[]): string;
  readonly none: string;
}

function actionOf({ completes }: CompletedOption, actions: Actions): string {
  if (completes === undefined) return actions.none;
  return typeof completes === 'string' ? actions[completes] : actions.words(completes);
}

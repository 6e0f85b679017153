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

/** @param words completed as the first argument */
export function completionScript(
  shell: Shell,
  command: string,
  options: readonly CompletedOption[],
  words: readonly string[] = [],
): string {
  return { bash, zsh, fish }[shell](command, options, words);
}

const namesOf = ({ name, short = '' }: OptionSyntax): string[] => [name, ...[...short].map((letter) => `-${letter}`)];

const NOTE = (command: string, shell: Shell): string =>
  `# Completion of ${command} for ${shell}, made by \`make manual\`\n`;

function bash(command: string, options: readonly CompletedOption[], words: readonly string[]): string {
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
  return `${NOTE(command, 'bash')}_${command}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD - 1]}"
  COMPREPLY=()
  case $previous in
${[...cases].map(([action, names]) => `    ${names.join(' | ')}) ${action} ;;\n`).join('')}    *)
      local words='${options.flatMap(namesOf).join(' ')}'
      [ "$COMP_CWORD" != 1 ] || words+='${words.map((word) => ` ${word}`).join('')}'
      ${reply('-W "$words"')}
      ;;
  esac
}
complete -F _${command} ${command}
`;
}

function zsh(command: string, options: readonly CompletedOption[], words: readonly string[]): string {
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
  if (words.length > 0) lines.push(`  '1:command:(${words.join(' ')})'`);
  return `#compdef ${command}\n${NOTE(command, 'zsh')}_arguments -S \\\n${lines.join(' \\\n')}\n`;
}

function fish(command: string, options: readonly CompletedOption[], words: readonly string[]): string {
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
  if (words.length > 0) lines.push(`complete -c ${command} -n __fish_use_subcommand -a '${words.join(' ')}'\n`);
  return `${NOTE(command, 'fish')}complete -c ${command} -f\n${lines.join('')}`;
}

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

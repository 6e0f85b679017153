/** `tuntoxctl completion`: the scripts with which shells complete our commands. */
import type { Command } from '../command.js';
import { usage } from '../ctl-error.js';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

// Each script passes the words of the line to `tuntoxctl __complete`, which knows the commands.

const BASH = `# Completion of tuntoxctl for bash: source <(tuntoxctl completion bash)
_tuntoxctl() {
  local line IFS=$'\\n'
  local current="\${COMP_WORDS[COMP_CWORD]}"
  COMPREPLY=()
  while read -r line; do
    if [ "$line" = ':files' ]; then
      compopt -o filenames 2>/dev/null
      COMPREPLY+=($(compgen -f -- "$current"))
    else
      COMPREPLY+=("\${line%%$'\\t'*}")
    fi
  done < <("\${COMP_WORDS[0]}" __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _tuntoxctl tuntoxctl
`;

const ZSH = `#compdef tuntoxctl
# Completion of tuntoxctl for zsh: a file _tuntoxctl in a directory of $fpath
_tuntoxctl() {
  local line
  local -a found
  while IFS= read -r line; do
    if [[ "$line" == ':files' ]]; then
      _files
    else
      found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
    fi
  done < <("\${words[1]}" __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)
  (( \${#found} )) && _describe -t values value found
}
if [[ "\${funcstack[1]}" == _tuntoxctl ]]; then _tuntoxctl; else compdef _tuntoxctl tuntoxctl; fi
`;

const FISH = `# Completion of tuntoxctl for fish: ~/.config/fish/completions/tuntoxctl.fish
function __tuntoxctl_complete
    set -l words (commandline -opc) (commandline -ct)
    for line in ($words[1] __complete $words[2..-1] 2>/dev/null)
        if test "$line" = ':files'
            __fish_complete_path (commandline -ct)
        else
            echo $line
        end
    end
end
complete -c tuntoxctl -f -a '(__tuntoxctl_complete)'
`;

const SCRIPTS = { bash: BASH, zsh: ZSH, fish: FISH } as const;

export const COMPLETION_COMMANDS: readonly Command[] = [
  {
    path: ['completion'],
    about: 'print the Tab completion script for a shell',
    more: 'It completes commands, options, and names from the running daemon. Packages install it already. bash: source <(tuntoxctl completion bash); zsh: a file _tuntoxctl in a directory of $fpath; fish: ~/.config/fish/completions/tuntoxctl.fish.',
    arguments: [{ name: 'SHELL', completes: SHELLS }],
    examples: SHELLS,
    run: async ({ given, out }) => {
      const shell = SHELLS.find((one) => one === given.argument(0));
      if (shell === undefined) throw usage(`unknown shell "${given.argument(0)}"`, `use one of: ${SHELLS.join(', ')}`);
      out.raw(SCRIPTS[shell]);
    },
  },
];

/** `tuntoxctl completion`: the scripts with which shells complete our commands. */
import type { Command } from '../command.js';
import { usage } from '../ctl-error.js';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

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
      const { SCRIPTS } = await import('../completion-scripts.js');
      out.raw(SCRIPTS[shell]);
    },
  },
];

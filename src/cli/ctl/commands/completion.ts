/** `tuntoxctl completion`: what a shell needs so that Tab works. */
import type { Command } from '../command.js';
import { usage } from '../ctl-error.js';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

export const COMPLETION_COMMANDS: readonly Command[] = [
  {
    path: ['completion'],
    about: 'print the script that makes Tab work in a shell',
    more: 'Commands, options, and names from the running daemon. Packages install it already. bash: source <(tuntoxctl completion bash); zsh: a file _tuntoxctl in a directory of $fpath; fish: ~/.config/fish/completions/tuntoxctl.fish.',
    arguments: [{ name: 'SHELL', completes: SHELLS }],
    examples: SHELLS,
    run: async ({ given, out }) => {
      const shell = SHELLS.find((one) => one === given.argument(0));
      if (shell === undefined)
        throw usage(`there is no script for "${given.argument(0)}"`, `one of: ${SHELLS.join(', ')}`);
      const { SCRIPTS } = await import('../completion-scripts.js');
      out.raw(SCRIPTS[shell]);
    },
  },
];

/** `tuntoxctl metrics`: for collectors. */
import { type Command, show } from '../command.js';

export const METRICS_COMMANDS: readonly Command[] = [
  {
    path: ['metrics'],
    about: 'print the metrics as OpenMetrics text',
    examples: ['', '> tuntox.new && mv tuntox.new tuntox.prom'],
    run: async (context) => {
      const metrics = await context.session.call('metrics', {});
      show(context, metrics, ({ text }, out) => {
        // A collector takes it as it is; a terminal must not.
        if (!out.isTerminal) out.raw(text);
        else for (const line of text.replace(/\n$/, '').split('\n')) out.line(line, { indent: 2 });
      });
    },
  },
];

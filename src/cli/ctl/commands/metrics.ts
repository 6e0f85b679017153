/** `tuntoxctl metrics`: the metrics of the daemon, for collectors. */
import { type Command, show } from '../command.js';

export const METRICS_COMMANDS: readonly Command[] = [
  {
    path: ['metrics'],
    about: 'print the metrics in the OpenMetrics format',
    examples: ['', '> tuntox.new && mv tuntox.new tuntox.prom'],
    run: async (context) => {
      const metrics = await context.session.call('metrics', {});
      show(context, metrics, ({ text }, out) => {
        // A collector gets the bytes unchanged; a terminal must not.
        if (!out.isTerminal) out.raw(text);
        else for (const line of text.replace(/\n$/, '').split('\n')) out.line(line, { indent: 2 });
      });
    },
  },
];

/** `tuntoxctl version`: the versions of tuntoxctl and of the daemon. */
import { ownVersion } from '../../../base/own-files.js';
import { type Command, show } from '../command.js';
import { CtlError } from '../ctl-error.js';

export const VERSION_COMMANDS: readonly Command[] = [
  {
    path: ['version'],
    about: 'print the versions of tuntoxctl and the daemon',
    more: 'Exits with 0 even if the daemon is not running. tuntoxctl -V does not contact the daemon.',
    examples: ['', '--json'],
    run: async (context) => {
      const { PROTOCOL_VERSION } = await import('../../../control/protocol.js');
      const { daemon, why } = await askDaemon(context.session);
      const report = { schema: 'tuntox.version/1', version: ownVersion(), protocol: PROTOCOL_VERSION, daemon } as const;
      show(context, report, ({ version, protocol }, out) => {
        out.line(`tuntoxctl ${version}, control protocol ${protocol}`);
        out.line(daemon === null ? `tuntoxd: ${why}` : `${daemon.version}, pid ${daemon.pid}`, { indent: 2 });
      });
    },
  },
];

async function askDaemon(session: { daemon(): Promise<{ readonly version: string; readonly pid: number }> }) {
  try {
    return { daemon: await session.daemon(), why: '' };
  } catch (error) {
    if (error instanceof CtlError) return { daemon: null, why: error.message };
    throw error;
  }
}

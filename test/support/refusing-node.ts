/**
 * To be loaded by `--import`: makes this Node refuse to change its user, as one does that is linked with the libuv of the system
 * (Debian 13). The message is that Node's own.
 */
const CALLS = ['setegid', 'seteuid', 'setgid', 'setuid', 'setgroups', 'initgroups'] as const;

for (const name of CALLS) {
  Object.assign(process, {
    [name]: () => {
      const message = `${name}() disabled: io_uring may be enabled. See CVE-2024-22017.`;
      throw Object.assign(new Error(message), { code: 'ERR_INVALID_STATE' });
    },
  });
}

export {};

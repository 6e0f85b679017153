/** For creating a file or socket: only its user may use it. */
const PRIVATE_UMASK = 0o177;

/** Runs what creates a file, at once, with mode 0600 at most. */
export function createdPrivately<Result>(create: () => Result): Result {
  const umask = process.umask(PRIVATE_UMASK);
  try {
    return create();
  } finally {
    process.umask(umask);
  }
}

/**
 * What root has read and opened for this process before it became somebody else (platform/successor), by its path. What root may
 * read and we may not is there once, for the start: afterwards everything is read as whom we are.
 */

export type Inherited =
  | { readonly kind: 'directory' }
  /** What it holds, until it is taken. */
  | { readonly kind: 'file'; readonly mode: number; readonly size: number; bytes: Buffer | undefined }
  /** Open for reading and writing. */
  | { readonly kind: 'descriptor'; readonly fd: number };

const estate = new Map<string, Inherited>();

export function inherit(items: Iterable<readonly [path: string, item: Inherited]>): void {
  for (const [path, item] of items) estate.set(path, item);
}

export const inheritedAt = (path: string): Inherited | undefined => estate.get(path);

/** To be wiped by who takes it, if it is a secret. @returns undefined when there is none, or it was taken before */
export function takeInheritedFile(path: string): Buffer | undefined {
  const item = estate.get(path);
  if (item?.kind !== 'file') return undefined;
  const { bytes } = item;
  item.bytes = undefined;
  return bytes;
}

/** To be closed by who takes it. @returns undefined when there is none, or it was taken before */
export function takeInheritedDescriptor(path: string): number | undefined {
  const item = estate.get(path);
  if (item?.kind !== 'descriptor') return undefined;
  estate.delete(path);
  return item.fd;
}

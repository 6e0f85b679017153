/** The files that come with the program, which may be installed anywhere, as modules or as a bundle. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Returns the path of a file. @param name relative to package.json */
export const ownFile = (name: string): string => fileURLToPath(new URL(name, ownFolder()));

/** Returns the version of the package. */
export function ownVersion(): string {
  return (JSON.parse(readFileSync(ownFile('package.json'), 'utf8')) as { version: string }).version;
}

/** Returns the nearest folder with a package.json. @throws Error if a part of the program was moved */
function ownFolder(): URL {
  for (let folder = new URL('.', import.meta.url); ; ) {
    if (existsSync(new URL('package.json', folder))) return folder;
    const above = new URL('..', folder);
    if (above.href === folder.href) throw new Error(`no package.json above ${import.meta.url}: install tuntox again`);
    folder = above;
  }
}

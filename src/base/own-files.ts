/** The files that come with the program, wherever it lies, and whether this is a module of its own or a part of a bundle. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** @param name from the folder of package.json, with slashes */
export const ownFile = (name: string): string => fileURLToPath(new URL(name, ownFolder()));

/** The version of the package, which is that of all its commands. */
export function ownVersion(): string {
  return (JSON.parse(readFileSync(ownFile('package.json'), 'utf8')) as { version: string }).version;
}

/** The nearest above this file that has a package.json. @throws Error when somebody has moved a part of the program */
function ownFolder(): URL {
  for (let folder = new URL('.', import.meta.url); ; ) {
    if (existsSync(new URL('package.json', folder))) return folder;
    const above = new URL('..', folder);
    if (above.href === folder.href) throw new Error(`no package.json above ${import.meta.url}: install tuntox anew`);
    folder = above;
  }
}

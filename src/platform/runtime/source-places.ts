/**
 * Stack traces with the files of the source instead of the bundle. Node can do this too, but reads each map when it loads the code,
 * which costs every start 30 ms and 3 MB. Here a map is read when a stack is read.
 */
import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** A place as V8 writes it, with the path of a file of CommonJS in place of a URL: line and column start at 1. */
const PLACE = /((?:file:\/\/)?\/[^\s()]+\.c?js):(\d+):(\d+)/;

/** Applies to the whole process. A place without a map stays as it is. */
export function nameSourcesInStacks(): void {
  const maps = new Map<string, SourceMap | undefined>();
  const mapOf = (url: string): SourceMap | undefined => {
    if (!maps.has(url)) maps.set(url, readMap(url));
    return maps.get(url);
  };
  Error.prepareStackTrace = (error, sites) =>
    [String(error), ...sites.map((site) => `    at ${inSource(String(site), mapOf)}`)].join('\n');
}

function inSource(site: string, mapOf: (url: string) => SourceMap | undefined): string {
  return site.replace(PLACE, (place, file: string, line: string, column: string) => {
    const url = file.startsWith('/') ? pathToFileURL(file).href : file;
    const entry = mapOf(url)?.findEntry(Number(line) - 1, Number(column) - 1);
    if (entry === undefined || !('originalSource' in entry)) return place;
    const { originalSource, originalLine, originalColumn } = entry;
    return `${new URL(originalSource, url).href}:${originalLine + 1}:${originalColumn + 1}`;
  });
}

/** Never throws, because it is used to report another error. */
function readMap(url: string): SourceMap | undefined {
  try {
    return new SourceMap(JSON.parse(readFileSync(`${fileURLToPath(url)}.map`, 'utf8')));
  } catch {
    return undefined;
  }
}

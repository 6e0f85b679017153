/**
 * Stack traces that name the files of the source, where the program runs as a bundle. Node can do it too, but reads each map when
 * it loads the code, which costs every start 30 ms and 3 MB; here a map is read when a stack is looked at.
 */
import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { fileURLToPath } from 'node:url';

/** As V8 writes it: the place in the code that runs, line and column from 1. */
const PLACE = /(file:\/\/[^\s()]+\.js):(\d+):(\d+)/;

/** From now on, and for the whole process. A place that no map knows is shown as it is. */
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
  return site.replace(PLACE, (place, url: string, line: string, column: string) => {
    const entry = mapOf(url)?.findEntry(Number(line) - 1, Number(column) - 1);
    if (entry === undefined || !('originalSource' in entry)) return place;
    const { originalSource, originalLine, originalColumn } = entry;
    return `${new URL(originalSource, url).href}:${originalLine + 1}:${originalColumn + 1}`;
  });
}

/** Never throws: who reports a mistake must not make another. */
function readMap(url: string): SourceMap | undefined {
  try {
    return new SourceMap(JSON.parse(readFileSync(`${fileURLToPath(url)}.map`, 'utf8')));
  } catch {
    return undefined;
  }
}

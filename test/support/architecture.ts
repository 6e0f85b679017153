/** Checks sources against the rules of docs/architecture.md. Each finding names the broken rule and its reason. */
import { posix } from 'node:path';
import { codeOf, importsOf } from './source-text.js';

export interface ArchitectureTables {
  /** From each folder that has a row to the folders that it may import. */
  readonly mayImport: ReadonlyMap<string, readonly string[]>;
  /** From each module outside the program to the one file that may import it; a client and a server may be two. */
  readonly owners: ReadonlyMap<string, readonly string[]>;
  /** From each class or dependencies object that may be larger than the rule to how many members it may have. */
  readonly larger: ReadonlyMap<string, number>;
}

/** Paths relative to src, such as `tox/dht/dht.ts`, with their text. */
export type Sources = ReadonlyMap<string, string>;

const MOST_LINES = 400;
const MOST_PUBLIC_MEMBERS = 15;
const MOST_DEPENDENCIES = 7;
/** Files that own what no other file may use. */
const CLOCK = 'base/clock.ts';
const RANDOM = 'base/random.ts';
const LAST_RESORT = 'platform/process/uncaught-errors.ts';
/** Node's modules that reach the world. */
const IO_MODULE =
  /^node:(dgram|net|dns|fs|http|https|http2|tls|os|child_process|cluster|worker_threads|readline|timers)(\/|$)/;

/** Reads the two tables of docs/architecture.md. @throws Error when they are not there */
export function readTables(document: string): ArchitectureTables {
  const rows = (heading: string): readonly (readonly [string[], string[]])[] => {
    const start = document.indexOf(`| ${heading} |`);
    if (start < 0) throw new Error(`docs/architecture.md has no table "${heading}"`);
    const body = document.slice(start).split('\n').slice(2);
    const end = body.findIndex((line) => !line.startsWith('|'));
    return body.slice(0, end).map((line) => {
      const [, left = '', right = ''] = line.split('|');
      return [codeSpans(left), codeSpans(right)] as const;
    });
  };
  return {
    mayImport: new Map(
      rows('folder | may import').flatMap(([folders, allowed]) => folders.map((folder) => [folder, allowed] as const)),
    ),
    owners: new Map(rows('module | its only importer').map(([[module = ''], owners]) => [module, owners] as const)),
    larger: new Map(
      rows('larger than the rule | members').map(([[name = ''], [members]]) => [name, Number(members)] as const),
    ),
  };
}

const codeSpans = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, text]) => text as string);

/** One sentence for each rule that is broken somewhere; empty when all is well. */
export function violationsOf(sources: Sources, tables: ArchitectureTables): string[] {
  const found: string[] = [];
  const all: ClassSize[] = [];
  for (const [file, text] of sources) {
    const code = codeOf(text);
    const sizes = sizesOf(code);
    all.push(...sizes);
    found.push(...violationsOfImports(file, text, sources, tables), ...violationsOfText(file, text, code));
    found.push(...violationsOfSize(file, sizes, tables));
  }
  found.push(...needlessRows(all, tables));
  for (const cycle of cyclesOf(sources)) {
    found.push(
      `import cycle: ${cycle.join(' -> ')}. A cycle has no first file to read and none to test alone; declare an interface.`,
    );
  }
  return found;
}

function violationsOfImports(file: string, text: string, sources: Sources, tables: ArchitectureTables): string[] {
  const found: string[] = [];
  const folder = rowOf(file, tables);
  if (folder === undefined)
    return [`${file}: its folder has no row in docs/architecture.md, so nobody decided what it may import.`];
  for (const { specifier, isReExport } of importsOf(text)) {
    if (isReExport) {
      found.push(
        `${file} exports again from ${specifier}: import from the file that has it; barrels hide directions and make cycles.`,
      );
    }
    if (!specifier.startsWith('.')) {
      found.push(...violationsOfModule(file, folder, specifier, tables));
      continue;
    }
    const target = resolve(file, specifier);
    const targetFolder = rowOf(target, tables);
    if (!sources.has(target)) found.push(`${file} imports ${specifier}, which is no file of src.`);
    else if (
      targetFolder !== undefined &&
      targetFolder !== folder &&
      !tables.mayImport.get(folder)?.includes(targetFolder)
    ) {
      found.push(
        `${file} imports ${target}: ${folder} may not import ${targetFolder} (docs/architecture.md). ` +
          'Imports have one direction; declare a small interface in your own folder and let a joiner pass it in.',
      );
    }
  }
  return found;
}

function violationsOfModule(file: string, folder: string, specifier: string, tables: ArchitectureTables): string[] {
  // A module inside a package belongs to the owner of the package.
  const owners = tables.owners.get(specifier) ?? tables.owners.get(specifier.split('/')[0] as string);
  if (owners !== undefined) {
    // A vocabulary, such as that of schemas, belongs to a folder.
    if (owners.some((owner) => owner === file || (owner.endsWith('/') && file.startsWith(owner)))) return [];
    return [
      `${file} imports ${specifier}: only ${owners.join(' and ')} does, so that it can be replaced in one place.`,
    ];
  }
  if (!specifier.startsWith('node:')) {
    return [`${file} imports ${specifier}, a dependency without an owner in docs/architecture.md: give it one file.`];
  }
  const isProtocol = folder.startsWith('tox') && folder !== 'tox/network';
  if (isProtocol && IO_MODULE.test(specifier)) {
    return [
      `${file} imports ${specifier}: protocol code does no I/O, so that a network of nodes runs in one simulated process.`,
    ];
  }
  return [];
}

interface NameRule {
  readonly pattern: RegExp;
  readonly allowedIn: readonly string[];
  readonly why: string;
}

const NAME_RULES: readonly NameRule[] = [
  {
    pattern: /\bprocess\s*(\.|\[)\s*(exit|reallyExit|abort)\b/,
    allowedIn: [LAST_RESORT, 'platform/process/exit.ts'],
    why: 'process.exit cuts off what is still being written; set process.exitCode and close what is open',
  },
  {
    pattern: /(?<![.\w#])(Date|setTimeout|setInterval|setImmediate|performance)\b(?!\s*[?]?:)/,
    allowedIn: [CLOCK],
    why: 'take a Clock (base/clock), so that tests run on simulated time',
  },
  {
    pattern: /\bprocess\s*\.\s*hrtime\b/,
    allowedIn: [CLOCK],
    why: 'take a Clock (base/clock), so that tests run on simulated time',
  },
  {
    pattern: /\bMath\s*\.\s*random\b/,
    allowedIn: [],
    why: 'take a Random (base/random): this one can be foreseen, and tests cannot repeat it',
  },
  {
    pattern: /\b(randomBytes|randomInt|randomFillSync|randomUUID|getRandomValues)\b/,
    allowedIn: [RANDOM],
    why: 'take a Random (base/random), so that tests can repeat a run from its seed',
  },
];

function violationsOfText(file: string, text: string, code: string): string[] {
  const found: string[] = [];
  const lines = text.split('\n');
  const length = text.endsWith('\n') ? lines.length - 1 : lines.length;
  if (length > MOST_LINES)
    found.push(`${file} has ${length} lines, more than ${MOST_LINES}: it holds more than one noun; split it.`);
  if (posix.basename(file) === 'index.ts')
    found.push(`${file}: no barrels; name the file after the one thing that it holds.`);
  code.split('\n').forEach((line, index) => {
    for (const { pattern, allowedIn, why } of NAME_RULES) {
      const name = pattern.exec(line)?.[0];
      if (name !== undefined && !allowedIn.includes(file)) found.push(`${file}:${index + 1} uses ${name}: ${why}.`);
    }
  });
  return found;
}

type Sized = 'class' | 'dependencies';

export interface ClassSize {
  readonly kind: Sized;
  readonly name: string;
  readonly members: number;
}

const mostOf = (kind: Sized): number => (kind === 'class' ? MOST_PUBLIC_MEMBERS : MOST_DEPENDENCIES);

/**
 * How many members each class (public ones) and each interface of dependencies has. Counts on the formatter's indentation.
 * @param code without comments and strings, see `codeOf`
 */
export function sizesOf(code: string): ClassSize[] {
  const classes = [...code.matchAll(/^(?:export )?(?:abstract )?class (\w+)[^\n]*\{\n(.*?)^\}/gms)];
  const dependencies = [...code.matchAll(/^(?:export )?interface (\w*(?:Deps|Host|Context))\b[^\n]*\{\n(.*?)^\}/gms)];
  const sizeOf =
    (kind: Sized, member: RegExp) =>
    ([, name = '', body = '']: RegExpMatchArray) => ({
      kind,
      name,
      members: new Set([...body.matchAll(member)].map(([, found]) => found)).size,
    });
  return [
    ...classes.map(sizeOf('class', PUBLIC_MEMBER)),
    ...dependencies.map(sizeOf('dependencies', /^ {2}(?:readonly |get )*(\w+)/gm)),
  ];
}

/** A getter and the setter of the same name are one member. */
const PUBLIC_MEMBER =
  /^ {2}(?!constructor\b|private |protected |(?:static |readonly )*#)(?:(?:static|readonly|get|set|async|abstract|override) )*\*?(\[Symbol\.\w+|\w+)/gm;

function violationsOfSize(file: string, sizes: readonly ClassSize[], { larger }: ArchitectureTables): string[] {
  return sizes.flatMap(({ kind, name, members }) => {
    const advice = `${kind === 'class' ? 'public ' : ''}members: it does more than one thing; split it`;
    const allowed = larger.get(name) ?? mostOf(kind);
    return members > allowed ? [`${file}: ${name} has ${members} ${advice}. At most ${allowed} are allowed.`] : [];
  });
}

/** A sentence for each row of the table of larger ones whose class or interface has become small enough. */
function needlessRows(sizes: readonly ClassSize[], { larger }: ArchitectureTables): string[] {
  return [...larger.keys()].flatMap((row) => {
    const named = sizes.filter(({ name }) => name === row);
    const isLarger = named.some(({ kind, members }) => members > mostOf(kind));
    return named.length === 0 || isLarger
      ? []
      : [`${row} is no larger than the rule any more: delete its row in docs/architecture.md.`];
  });
}

/** Each cycle once, as the files along it; the first stands at its end again. */
function cyclesOf(sources: Sources): string[][] {
  const cycles: string[][] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): void => {
    const at = path.indexOf(file);
    if (at >= 0) cycles.push([...path.slice(at), file]);
    if (at >= 0 || done.has(file)) return;
    path.push(file);
    const imports = importsOf(sources.get(file) ?? '').filter(({ specifier }) => specifier.startsWith('.'));
    for (const target of new Set(imports.map(({ specifier }) => resolve(file, specifier)))) {
      if (sources.has(target)) visit(target);
    }
    path.pop();
    done.add(file);
  };
  for (const file of sources.keys()) visit(file);
  return cycles;
}

/** The row that counts for a file: that of its own folder, or of the nearest one above. */
function rowOf(file: string, { mayImport }: ArchitectureTables): string | undefined {
  for (let folder = posix.dirname(file); folder !== '.' && folder !== '..'; folder = posix.dirname(folder)) {
    if (mayImport.has(folder)) return folder;
  }
  return undefined;
}

const resolve = (file: string, specifier: string): string =>
  posix.join(posix.dirname(file), specifier).replace(/\.js$/, '.ts');

/** A light reading of TypeScript: enough for rules about imports and names, without a parser. */

export interface Import {
  /** As written: `./box.js`, `node:net`, `winston`. */
  readonly specifier: string;
  /** True where it hands on what it imports. */
  readonly isReExport: boolean;
}

/** The source with every comment and the inside of every string blanked out; line breaks stay. */
export function codeOf(source: string): string {
  return blank(source, true);
}

/** Everything that a source imports: types, side effects and dynamic imports too. */
export function importsOf(source: string): Import[] {
  const text = blank(source, false);
  const found: Import[] = [];
  for (const [, keyword, specifier] of text.matchAll(/^\s*(import|export)\b[^;'"`]*?\bfrom\s*['"]([^'"]+)['"]/gm)) {
    found.push({ specifier: specifier as string, isReExport: keyword === 'export' });
  }
  for (const [, specifier] of text.matchAll(/(?<![.'"])\bimport\s*\(?\s*['"]([^'"]+)['"]/g)) {
    found.push({ specifier: specifier as string, isReExport: false });
  }
  return found;
}

/** What is loaded with a source: neither types nor dynamic imports. */
export function staticImportsOf(source: string): string[] {
  const statements = blank(source, false).matchAll(/^\s*import\b(?!\s*\()([^;'"`]*?)(?:\bfrom\s*)?['"]([^'"]+)['"]/gm);
  return [...statements].flatMap(([, names = '', specifier = '']) => (isOfTypes(names) ? [] : [specifier]));
}

/** `import type …`, or braces with nothing but types in them. */
function isOfTypes(names: string): boolean {
  const inside = /^\s*\{([^}]*)\}\s*$/.exec(names)?.[1];
  const all = inside?.split(',').map((name) => name.trim());
  return (
    /^\s*type\b/.test(names) || (all?.filter((name) => name !== '').every((name) => /^type\b/.test(name)) ?? false)
  );
}

/** A regular expression literal, which may hold quotes; taken for one where a division cannot stand. */
const REGEXP = /^\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/;
const TOKEN = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\[\s\S]|[^`\\])*`/y;

function blank(source: string, withStrings: boolean): string {
  let out = '';
  for (let at = 0; at < source.length; ) {
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(source)?.[0];
    const regexp =
      token === undefined && /(^|[=(,:;!&|?{[])\s*$/.test(out.slice(-40))
        ? REGEXP.exec(source.slice(at, at + 400))?.[0]
        : undefined;
    const found = token ?? regexp;
    if (found === undefined) {
      out += source[at];
      at += 1;
      continue;
    }
    out += /^['"]/.test(found) && !withStrings ? found : emptied(found);
    at += found.length;
  }
  return out;
}

/** What is inside `${…}` of a template is code and stays. */
function emptied(token: string): string {
  const wipe = (text: string): string => text.replace(/[^\n]/g, ' ');
  if (!token.startsWith('`')) return wipe(token);
  return token
    .split(/(\$\{[^}]*\})/)
    .map((part, index) => (index % 2 === 1 ? part : wipe(part)))
    .join('');
}

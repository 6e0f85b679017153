// Makes the commands that users run (dist/bin) of src/bin, with all modules that they need, ours and those of others: to find, read
// and compile hundreds of small files takes most of a process's start. NOTICE has the licences of what came along; machine code stays behind.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { build } from 'esbuild';
import { notice } from './notice.js';

const OUTPUT = 'dist/bin';

/**
 * sodium-native finds its machine code by four packages of resolver, which start from the file that asks: there is none in a bundle.
 * Where the code lies is known; so it takes 3 ms, where the search takes 35.
 */
const nativePart = {
  name: 'native part',
  setup({ onLoad }) {
    onLoad({ filter: /\/node_modules\/sodium-native\/binding\.js$/ }, () => ({
      contents:
        'module.exports = require(`sodium-native/prebuilds/${process.platform}-${process.arch}/sodium-native.node`);',
    }));
    // It checks its arguments by a module that takes 2 ms to load.
    onLoad({ filter: /\/node_modules\/sodium-native\/index\.js$/ }, ({ path }) => ({
      contents: replaced(path, "require('assert')", '(isRight, message) => { if (!isRight) throw new TypeError(message); }'),
    }));
  },
};

/** Modules of ours find it by require, which cannot be a part of the bundle unless it is written so. */
const sodium = {
  name: 'sodium',
  setup({ onLoad }) {
    onLoad({ filter: /\/src\/tox\/crypto\/sodium\.ts$/ }, ({ path }) => ({
      contents: replaced(path, "createRequire(import.meta.url)('sodium-native')", "require('sodium-native')"),
      loader: 'ts',
    }));
  },
};

/**
 * node-ipc asks for the addresses of this machine while it is loaded, for TCP, which it does not do here; and its question ends the
 * command where there is no descriptor for it, or where the sandbox of a service forbids it. It never reads the answer: of a list
 * it would, and the answer is none.
 */
const quietImport = {
  name: 'quiet import',
  setup({ onLoad }) {
    onLoad({ filter: /\/node_modules\/node-ipc\/entities\/Defaults\.js$/ }, ({ path }) => ({
      contents: replaced(path, 'os.networkInterfaces()', '{}'),
    }));
  },
};

/**
 * winston asks for all colours of terminals while it is loaded, and for a second log, about itself, with colours of its own. Our lines
 * have neither. Without them it is loaded in a third of the time.
 */
const plainLog = {
  name: 'plain log',
  setup({ onLoad }) {
    onLoad({ filter: /\/node_modules\/@colors\/colors\/safe\.js$/ }, () => ({ contents: 'module.exports = {};' }));
    onLoad({ filter: /\/node_modules\/@dabh\/diagnostics\/node\/index\.js$/ }, () => ({
      contents: 'module.exports = () => () => {};',
    }));
  },
};

function replaced(path, text, other) {
  const contents = readFileSync(path, 'utf8');
  if (!contents.includes(text)) throw new Error(`${path} does not contain ${text} any more: change or remove the plugin`);
  return contents.replace(text, other);
}

/**
 * Each is bundled by itself with all that it imports, and shares nothing with the others. `tuntox` is one file, because to find and
 * read the sixty parts that a client loads took 40 to 60 ms. The others are in parts (`splitting`): they load few of them. A script comes
 * before the file that runs it (`platform/runtime/code-cache`). A command without parts is CommonJS: Node loads that 6 ms sooner.
 */
const FILES = [
  { source: 'src/cli/tuntox/main.ts', name: 'parts/tuntox', isScript: true },
  { source: 'src/bin/tokssh.ts', name: 'tokssh', isCommonJs: true },
  { source: 'src/bin/tuntox.ts', name: 'tuntox', isCommonJs: true },
  { source: 'src/bin/tuntoxctl.ts', name: 'tuntoxctl', splitting: true },
  { source: 'src/bin/tuntoxd.ts', name: 'tuntoxd' },
  { source: 'src/cli/tuntox/light.ts', name: 'parts/light', splitting: true },
  { source: 'src/daemon/main.ts', name: 'parts/tuntoxd', splitting: true },
];
/** The imports of one of these files by another. */
const otherFiles = {
  name: 'other files',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\.js$/ }, ({ importer, path, resolveDir }) => {
      const source = relative('.', resolve(resolveDir, path)).replace(/js$/, 'ts');
      const file = FILES.find((one) => one.source === source);
      if (importer === '' || file === undefined) return undefined;
      return file.isScript ? { path: source, namespace: 'script' } : { path: `./${file.name}.js`, external: true };
    });
    onLoad({ filter: /./, namespace: 'script' }, ({ path }) => ({ contents: runOf(path), resolveDir: '.' }));
  },
};

const runOf = (source) => `
  import { userDirectories } from './src/base/user-directories.ts';
  import { runScript } from './src/platform/runtime/code-cache.ts';
  const file = new URL('./${scripts.get(source)}', import.meta.url);
  const { exports, keepCompiled } = runScript(file, userDirectories(process.env).cache);
  export const main = (...values) => exports.main(...values, keepCompiled);
`;

/** The paths of the scripts in OUTPUT, by their source. */
const scripts = new Map();

rmSync(OUTPUT, { recursive: true, force: true });
const OPTIONS = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  // An addon that is built for one version of Node, and missing where it could not be built.
  external: ['sd-notify'],
  // Older packages ask for Node's modules in this way.
  banner: { js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);" },
  // 15 ms less to compile, and 2 MB less to keep. Names stay, and so do lines: Node shows the one in which a program ended.
  minifySyntax: true,
  minifyWhitespace: true,
  lineLimit: 120,
  legalComments: 'none',
  // platform/runtime/source-places reads them, once something goes wrong.
  sourcemap: 'linked',
  sourcesContent: false,
  metafile: true,
};
/** What makes a file CommonJS. */
const COMMON_JS = {
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
  banner: { js: "'use strict'; const url = require('node:url').pathToFileURL(__filename).href;" },
  define: { 'import.meta.url': 'url' },
};
/** What makes a file a function of `runScript`. */
const SCRIPT = {
  ...COMMON_JS,
  entryNames: '[dir]/[name]-[hash]',
  banner: { js: '(function (exports, require, module, url) {' },
  footer: { js: '})' },
};
const inputs = new Set();
for (const { source, name, splitting = false, isScript = false, isCommonJs = false } of FILES) {
  const { metafile } = await build({
    ...OPTIONS,
    entryPoints: { [name]: source },
    outdir: OUTPUT,
    chunkNames: `parts/${basename(name)}-[name]-[hash]`,
    splitting,
    plugins: [nativePart, sodium, quietImport, plainLog, otherFiles],
    ...(isCommonJs && COMMON_JS),
    ...(isScript && SCRIPT),
  });
  for (const input of Object.keys(metafile.inputs)) inputs.add(input);
  const [output] = Object.entries(metafile.outputs).find(([, { entryPoint }]) => entryPoint === source);
  if (isScript) scripts.set(source, relative(OUTPUT, output));
  // runScript does not decode it.
  if (isScript && /[^\0-\x7f]/.test(readFileSync(output, 'latin1'))) throw new Error(`${output} is not ASCII`);
}
// What is not in the bundle must be in package.json's dependencies; test/scenario/npm-package.test.ts compares.
writeFileSync(join(OUTPUT, 'NOTICE'), notice([...inputs].filter((input) => !input.startsWith('script:'))));

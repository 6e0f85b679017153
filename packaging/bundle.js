// Makes the commands that users run (dist/bin) of src/bin, with all modules that they need, ours and those of others: to find, read
// and compile hundreds of small files takes most of a process's start. What several commands share, and what only some orders need,
// becomes parts, which are loaded when they are needed. NOTICE has the licences of what came along; machine code stays behind.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
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
    onLoad({ filter: /\/node_modules\/node-ipc\/entities\/Defaults\.js$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8');
      const contents = text.replace('os.networkInterfaces()', '{}');
      if (contents === text) throw new Error(`${path} asks for no addresses any more: take this part away`);
      return { contents };
    });
  },
};

/**
 * A client that uses the agent shares no part with the commands: to find and read the fifty parts that it would have takes longer than
 * all the rest. What only its local ports need is a part of its own.
 */
const LIGHT = { source: 'src/cli/tuntox/light.ts', file: 'parts/light.js' };
const lightPart = {
  name: 'light part',
  setup({ onResolve }) {
    onResolve({ filter: /\/cli\/tuntox\/light\.js$/ }, () => ({ path: `./${LIGHT.file}`, external: true }));
  },
};

rmSync(OUTPUT, { recursive: true, force: true });
const OPTIONS = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  // An addon that is built for one version of Node, and missing where it could not be built.
  external: ['sd-notify'],
  // Older packages ask for Node's modules in this way.
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
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
const { metafile } = await build({
  ...OPTIONS,
  entryPoints: readdirSync('src/bin').map((name) => join('src/bin', name)),
  outdir: OUTPUT,
  chunkNames: 'parts/[name]-[hash]',
  splitting: true,
  plugins: [nativePart, quietImport, lightPart],
});
await build({
  ...OPTIONS,
  entryPoints: [LIGHT.source],
  outdir: join(OUTPUT, dirname(LIGHT.file)),
  chunkNames: 'light-[name]-[hash]',
  splitting: true,
});
// What is not in the bundle must be in package.json's dependencies; test/scenario/npm-package.test.ts compares.
writeFileSync(join(OUTPUT, 'NOTICE'), notice(Object.keys(metafile.inputs)));

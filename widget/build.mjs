// Puts what a page needs into dist/: our modules as they are, and the two libraries in the one-file
// form in which their packages ship them. There is nothing to compile, so nothing is bundled.

import { cp, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, 'dist');
const modules = join(here, 'node_modules');

const VENDORED = {
  'deep-chat': { from: 'deep-chat/dist/deepChat.bundle.js', to: 'vendor/deep-chat.js' },
  'socket.io-client': { from: 'socket.io-client/dist/socket.io.esm.min.js', to: 'vendor/socket.io.js' },
};
// What those two files contain.
const LICENSED = [
  'deep-chat', 'remarkable', 'autolinker', 'argparse', 'sprintf-js', 'speech-to-element', '@microsoft/fetch-event-source',
  'socket.io-client', 'socket.io-parser', 'engine.io-client', 'engine.io-parser', '@socket.io/component-emitter',
];

await rm(dist, { recursive: true, force: true });
await mkdir(join(dist, 'vendor'), { recursive: true });
for (const { from, to } of Object.values(VENDORED)) {
  const source = await readFile(join(modules, from), 'utf8');
  await writeFile(join(dist, to), source.replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n'));
}
for (const file of ['support-chat.js', ...(await sources())]) await copyModule(file);
for (const file of ['index.html', 'portal.css', 'portal.svg']) await cp(join(here, file), join(dist, file));
await writeFile(join(dist, 'vendor', 'LICENSES.txt'), await licences());
console.log('widget/dist is built');

async function sources() {
  return (await readdir(join(here, 'src'))).filter((name) => name.endsWith('.js')).map((name) => `src/${name}`);
}

/** A browser knows no package names: in dist/ they become the vendored files. @param {string} file */
async function copyModule(file) {
  let code = await readFile(join(here, file), 'utf8');
  for (const [name, { to }] of Object.entries(VENDORED)) {
    const path = posix.relative(posix.dirname(file), to);
    const relativePath = path.startsWith('.') ? path : `./${path}`;
    code = code.replace(new RegExp(`^(import .*?)'${name}';$`, 'm'), `$1'${relativePath}';`);
  }
  await mkdir(dirname(join(dist, file)), { recursive: true });
  await writeFile(join(dist, file), code);
}

async function licences() {
  const parts = [];
  for (const name of LICENSED) {
    const folder = join(modules, name);
    const { version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
    const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file ? await readFile(join(folder, file), 'utf8') : `Licence: ${license}\n`;
    parts.push(`${name} ${version}\n${'='.repeat(60)}\n\n${text.trim()}\n`);
  }
  return parts.join('\n\n');
}

// What a browser loads of the dashboard, compressed. `npm run check:sizes` builds and measures it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join('web/dist', readFileSync('web/dist/current', 'utf8').trim());
const manifest = JSON.parse(readFileSync(join(folder, '.vite/manifest.json'), 'utf8'));

/** The files of a part with everything that it imports before it runs. */
function filesOf(name, seen = new Set()) {
  const { file, css = [], imports = [] } = manifest[name];
  for (const one of [file, ...css]) seen.add(join(folder, one));
  for (const one of imports) if (!seen.has(join(folder, manifest[one].file))) filesOf(one, seen);
  return seen;
}

const firstScreen = [...filesOf('index.html'), ...filesOf('screens/today/today.tsx')];

// What the page to write sequences adds to what every page has.
const builder = [...filesOf('screens/builder/builder.tsx')].filter((file) => !filesOf('index.html').has(file));

export default [
  { name: 'first screen', path: [...new Set(firstScreen)], limit: '170 kB', gzip: true },
  { name: 'builder', path: builder, limit: '75 kB', gzip: true },
  { name: 'all of the dashboard', path: [`${folder}/assets/*.{js,css}`], limit: '280 kB', gzip: true },
];

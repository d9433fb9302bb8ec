import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

// The documents as one book: each is reached from README.md, and no link leads nowhere.

const root = resolve(import.meta.dirname, '../..');

/** Files that npm or git made, and what is no document. */
const passedOver = /^(node_modules|dist|\.git|\.rekindle|coverage|tests|web|sdk\/dist)(\/|$)/;

function documentsIn(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (passedOver.test(path)) return [];
    return entry.isDirectory() ? documentsIn(path) : path.endsWith('.md') ? [path] : [];
  });
}

const documents = documentsIn('.').toSorted();
const textOf = new Map(documents.map((file) => [file, readFileSync(join(root, file), 'utf8')]));

/** Without code, where brackets are no links. */
const prose = (text: string) =>
  text.replaceAll(/^( *)(```|~~~)[\s\S]*?^\1\2/gm, '').replaceAll(/(`+)[^`\n][\s\S]*?\1/g, (code) => code.replaceAll(/[[\]()]/g, ' '));

interface Link {
  /** As it stands there. */
  target: string;
  /** Path from the root. */
  file: string;
  anchor: string | null;
}

function linksOf(from: string): Link[] {
  const text = prose(textOf.get(from) ?? '');
  const targets = [...text.matchAll(/\]\(\s*<?([^)\s>]+)>?[^)]*\)/g), ...text.matchAll(/<(?:a|img)\s[^>]*(?:href|src)="([^"]+)"/g)].map(
    ([, target = '']) => target,
  );
  return targets
    .filter((target) => !/^[a-z][a-z0-9+.-]*:/i.test(target))
    .map((target) => {
      const [path = '', anchor = null] = target.split('#');
      return { target, file: path === '' ? from : relative(root, resolve(root, dirname(from), decodeURI(path))), anchor };
    });
}

/** Anchors as GitHub makes them of headings, and those that are written by hand. */
function anchorsOf(file: string): Set<string> {
  const text = textOf.get(file) ?? '';
  const found = new Set([...text.matchAll(/<a (?:id|name)="([^"]+)"/g)].map(([, id = '']) => id));
  const times = new Map<string, number>();
  for (const [, heading = ''] of text.replaceAll(/^( *)(```|~~~)[\s\S]*?^\1\2/gm, '').matchAll(/^#{1,6} +(.+?) *#*$/gm)) {
    const slug = heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M} _-]/gu, '')
      .replaceAll(' ', '-');
    const before = times.get(slug) ?? 0;
    times.set(slug, before + 1);
    found.add(before === 0 ? slug : `${slug}-${before}`);
  }
  return found;
}

test('no link leads nowhere, and no anchor either', () => {
  const broken = documents.flatMap((from) =>
    linksOf(from).flatMap(({ target, file, anchor }) => {
      if (file.startsWith('..') || !existsSync(join(root, file))) return [`${from}: ${target} does not exist`];
      if (anchor === null || !file.endsWith('.md')) return [];
      return anchorsOf(file).has(anchor) ? [] : [`${from}: ${target} has no such heading`];
    }),
  );
  expect(broken).toEqual([]);
});

test('every document is reached from README.md', () => {
  const reached = new Set<string>();
  const waiting = ['README.md'];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (reached.has(file)) continue;
    reached.add(file);
    for (const link of linksOf(file)) {
      const path = join(root, link.file);
      // A link to a folder is one to each document in it.
      if (existsSync(path) && statSync(path).isDirectory()) waiting.push(...documents.filter((one) => dirname(one) === link.file));
      else if (textOf.has(link.file)) waiting.push(link.file);
    }
  }
  expect(documents.filter((file) => !reached.has(file))).toEqual([]);
});

test('every picture is shown somewhere', () => {
  const shown = new Set(documents.flatMap((file) => linksOf(file).map((link) => link.file)));
  const pictures = readdirSync(join(root, 'docs/images')).map((name) => `docs/images/${name}`);
  expect(pictures.filter((file) => !shown.has(file))).toEqual([]);
});

test('every test that a document names exists', () => {
  const roots = ['', 'tests/'];
  const gone = documents.flatMap((file) => {
    if (file === 'CHANGELOG.md') return [];
    const named = [...(textOf.get(file) ?? '').matchAll(/`([\w./-]*\{?[\w./,{}-]*[.]test[.]ts)`/g)].flatMap(([, path = '']) => spelledOut(path));
    return named.filter((path) => !roots.some((one) => existsSync(join(root, one, path)))).map((path) => `${file}: ${path}`);
  });
  expect(gone).toEqual([]);
});

/** `tests/{a,b}.test.ts` is two files. */
function spelledOut(path: string): string[] {
  const braces = /^(.*)\{([^}]*)\}(.*)$/.exec(path);
  if (braces === null) return [path];
  const [, before = '', within = '', after = ''] = braces;
  return within.split(',').flatMap((one) => spelledOut(`${before}${one}${after}`));
}

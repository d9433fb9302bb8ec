import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { AnySubjectKind } from '../../domain/subjects/index.ts';
import type { CopySource } from '../copy-source.ts';
import { account } from './account.ts';
import { contentOfAny } from './any.ts';
import { cart } from './cart.ts';
import { lead } from './lead.ts';
import type { SubjectContent } from './subject-content.ts';

const contents: ReadonlyMap<string, SubjectContent> = new Map(Object.entries({ account, cart, lead }));

/** How messages present a kind of subject. One that has no content of its own gets a button. */
export function subjectContentOf(kind: AnySubjectKind): SubjectContent {
  return contents.get(kind.kind) ?? contentOfAny(kind);
}

/** Read a part of the block with which an email presents its subject. */
export async function readBlock(kind: AnySubjectKind, part: 'html' | 'text'): Promise<CopySource> {
  const name = subjectContentOf(kind).block[part];
  return { file: `content/subjects/${name}`, text: await readFile(fileURLToPath(new URL(name, import.meta.url)), 'utf8') };
}

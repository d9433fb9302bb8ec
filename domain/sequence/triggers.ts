import type { AnySubjectKind, SubjectKinds } from '../subjects/index.ts';

/** A sequence that only somebody starts: a person, or a program through the API. */
export const manual = 'manual';
/** A sequence that only a bulk enrollment starts. */
export const bulk = 'bulk';
/** Whether no event starts it: then it says itself what it is about. */
export const startsByItself = (on: string): boolean => on !== manual && on !== bulk;

/** Triggers that sequences will have once what they watch is known, with what is missing. */
export const triggersToCome: Readonly<Record<string, string>> = {};

/** What a sequence is about: what its trigger names, or what it says itself where somebody starts it. */
export function kindOfSequence(kinds: SubjectKinds, { on, about }: { on: string; about?: string | undefined }): AnySubjectKind | null {
  return startsByItself(on) ? kinds.ofTrigger(on) : (kinds.all.find(({ kind }) => kind === about) ?? null);
}

import type { AnySubjectKind, SubjectKinds } from '../subjects/index.ts';

/** A sequence that only somebody starts: a person, or a program through the API. */
export const manual = 'manual';

/** Triggers that sequences will have once what they watch is known, with what is missing. */
export const triggersToCome: Readonly<Record<string, string>> = {
  'lead.silent': 'nothing watches yet for how long a lead has been silent',
  'chat.ghosted': 'chats are not known yet',
  'risk.entered': 'nobody’s risk is assessed yet',
  bulk: 'many at once cannot be started yet: write manual, and start them one by one (POST /api/enrollments)',
};

/** What a sequence is about: what its trigger names, or what it says itself where somebody starts it. */
export function kindOfSequence(kinds: SubjectKinds, { on, about }: { on: string; about?: string | undefined }): AnySubjectKind | null {
  return on === manual ? (kinds.all.find(({ kind }) => kind === about) ?? null) : kinds.ofTrigger(on);
}

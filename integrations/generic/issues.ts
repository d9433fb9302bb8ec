import { type Notes, note } from '../read/notes.ts';

/** Note what a schema finds wrong with an entry that is left out. */
export function noteIssues(issues: readonly { path: PropertyKey[]; code?: string | undefined; message: string }[], path: string, notes: Notes): void {
  for (const issue of issues) {
    // Names of fields that are not ours are the sender's, and never repeated.
    const field = [path, ...issue.path.map(String)].join('.');
    note(notes, field, issue.code === 'unrecognized_keys' ? 'has a field that is none of ours: left out' : `${issue.message}: left out`);
  }
}

import { z } from 'zod';
import type { MergeRow } from '../../../operations/read/merges.ts';
import { isoTime, isoTimeOrNull, timeField } from '../../routes/fields.ts';

const ids = z.array(z.uuid());

export const mergeSchema = z
  .object({
    id: z.uuid(),
    kept_contact: z.uuid().meta({ description: 'The person that stayed.' }),
    merged_contact: z.uuid().meta({ description: 'The person that became part of it.' }),
    brought_by: z.enum(['identity', 'subject', 'hand']).meta({
      description:
        '`identity`: an event named identities of both. `subject`: the cart of an anonymous contact turned out to be the other’s. `hand`: a colleague said so.',
    }),
    identity_kinds: z.array(z.string()).meta({ description: 'The kinds of identities that the event named.' }),
    delivery: z.uuid().nullable().meta({ description: 'The delivery that brought it; null: none did.' }),
    moved: z.object({ contacts: ids, identities: ids, subjects: ids, enrollments: ids, consents: ids }),
    ended_enrollments: ids.meta({ description: 'Enrollments that the merge ended. An undo does not begin them again.' }),
    merged_at: timeField,
    undone_at: timeField.nullable(),
    undone_by: z.string().nullable(),
  })
  .meta({ id: 'Merge' });

export function presentMerge(row: MergeRow): z.input<typeof mergeSchema> {
  return {
    id: row.id,
    kept_contact: row.keptContactId,
    merged_contact: row.mergedContactId,
    brought_by: row.broughtBy,
    identity_kinds: row.identityKinds.map((kind) => (kind.startsWith('external:') ? 'id' : kind)),
    delivery: row.inboxId,
    moved: { contacts: row.contactIds, ...row.moved },
    ended_enrollments: row.endedEnrollmentIds,
    merged_at: isoTime(row.mergedAt),
    undone_at: isoTimeOrNull(row.undoneAt),
    undone_by: row.undoneBy,
  };
}

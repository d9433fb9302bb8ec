import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { erasePerson } from '../../../operations/erase-person.ts';
import { type ContactRow, listContacts } from '../../../operations/read/contacts.ts';
import { listMerges, type MergeRow } from '../../../operations/read/merges.ts';
import { undoMerge } from '../../../operations/undo-merge.ts';
import { actorOf, callerOf } from '../../plugins/authenticate.ts';
import { invalidRequest, problem, problems } from '../../plugins/errors.ts';
import { idParams, isId, isoTime, isoTimeOrNull, lineField, timeField } from '../../routes/fields.ts';
import { aList } from '../list.ts';
import type { Resource, ResourceOptions } from '../resource.ts';

const ids = z.array(z.uuid());

const mergeSchema = z
  .object({
    id: z.uuid(),
    kept_contact: z.uuid().meta({ description: 'The person that stayed.' }),
    merged_contact: z.uuid().meta({ description: 'The person that became part of it.' }),
    brought_by: z.enum(['identity', 'subject']).meta({
      description: '`identity`: an event named identities of both. `subject`: the cart of an anonymous contact turned out to be the other’s.',
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

const list = aList({
  name: 'merges',
  item: mergeSchema,
  filters: {
    email: lineField(320).optional().meta({ description: 'Of one of the two. Read as in a webhook.' }),
    phone: lineField(60).optional().meta({ description: 'Of one of the two. Read as in a webhook.' }),
  },
});

const contactSchema = z
  .object({
    id: z.uuid(),
    person: z.uuid().meta({ description: 'The contact that stands for the whole person: the same for all that turned out to be one.' }),
    lifecycle: z.string(),
    country: z.string().nullable(),
    region: z.string().nullable(),
    created_at: timeField,
  })
  .meta({ id: 'Contact' });

const contactList = aList({
  name: 'contacts',
  item: contactSchema,
  filters: {
    email: lineField(320).optional().meta({ description: 'Every contact of that person. Read as in a webhook.' }),
    phone: lineField(60).optional().meta({ description: 'Every contact of that person. Read as in a webhook.' }),
  },
});

const count = z.int().nonnegative();
const erasureSchema = z
  .object({
    contact: z.uuid(),
    contacts: count,
    subjects: count,
    enrollments: count,
    messages: count,
    consents: count,
    deliveries: count,
    quarantined: count,
  })
  .meta({ id: 'Erasure', description: 'How many rows were emptied. It is in the audit log too.' });

const busy = 'Somebody else is changing this person right now, or a message is on its way. Ask again.';
const whyNotErased = {
  busy,
  pending: 'Deliveries about this person are still to be applied. Ask again when they are.',
  importing: 'A file of leads that names this person is still being taken in. Ask again when it is done, or cancel the import.',
};

const unreadable = (field: 'email' | 'phone') => [
  { path: `querystring/${field}`, message: field === 'email' ? 'is no email address' : 'is no telephone number' },
];

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  app.get(
    '/api/contacts',
    {
      schema: {
        summary: 'Find contacts',
        description: 'By an address or a number: every contact of that person; without either, all of them. The newest first.',
        querystring: contactList.query,
        response: { 200: contactList.answer, ...problems(400, 401, 429, 503) },
      },
    },
    async (request, reply) => {
      const { limit, cursor, ...search } = request.query;
      const result = await listContacts(deps, callerOf(request).tenantId, search, { limit, after: cursor ?? null });
      return result.kind === 'found' ? contactList.present(result.found, presentContact) : invalidRequest(reply, unreadable(result.field));
    },
  );

  app.delete(
    '/api/contacts/:id',
    {
      schema: {
        summary: 'Erase a person',
        description:
          'Every sequence of theirs ends, and what is known about them is removed everywhere: details, addresses, subjects, texts of messages, stored deliveries. Ids, times, amounts and outcomes stay, and so do hashes by which their addresses get nothing any more. A repeat does what is left. It answers when the data are gone; the receipt of `GET /api/erasures` follows.',
        params: idParams,
        response: { 200: erasureSchema, ...problems(401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { tenantId } = callerOf(request);
      const erased = isId(id) ? await erasePerson(deps, { tenantId, contactId: id, actor: actorOf(request) }) : ({ kind: 'not_found' } as const);
      if (erased.kind === 'erased') return { contact: id, ...erased.erasure };
      if (erased.kind === 'not_found') return problem(reply, 404, 'unknown_contact', 'No contact of yours has this id.');
      return problem(reply.header('retry-after', '1'), 503, erased.kind, whyNotErased[erased.kind]);
    },
  );

  app.get(
    '/api/contacts/merges',
    {
      schema: {
        summary: 'List which people turned out to be one',
        description: 'Every merge with what brought it and what it moved, the latest first.',
        querystring: list.query,
        response: { 200: list.answer, ...problems(400, 401, 429, 503) },
      },
    },
    async (request, reply) => {
      const { limit, cursor, ...search } = request.query;
      const result = await listMerges(deps, callerOf(request).tenantId, search, { limit, after: cursor ?? null });
      if (result.kind === 'found') return list.present(result.found, presentMerge);
      return invalidRequest(reply, unreadable(result.field));
    },
  );

  app.post(
    '/api/contacts/:id/unmerge',
    {
      schema: {
        summary: 'Undo a merge',
        description:
          'The contacts that the merge brought along become a person of their own again, with their identities, subjects, enrollments and consents, and are kept apart from now on. Opt-outs, complaints, purchases and replies stay with both, what went out counts for both, and enrollments that the merge ended stay ended. A repeat changes nothing.',
        params: idParams,
        body: z
          .strictObject({ merge: z.uuid().optional().meta({ description: 'Which one; else the latest of this contact that is not undone.' }) })
          .nullish(),
        response: { 200: mergeSchema, ...problems(400, 401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { tenantId } = callerOf(request);
      const undone = isId(id)
        ? await undoMerge(deps, { tenantId, contactId: id, mergeId: request.body?.merge ?? null, actor: actorOf(request) })
        : ({ kind: 'not_found' } as const);
      if (undone.kind === 'undone') return presentMerge(undone.merge);
      if (undone.kind === 'not_found') return problem(reply, 404, 'unknown_merge', 'No merge of a contact of yours has this id.');
      return problem(reply.header('retry-after', '1'), 503, 'busy', busy);
    },
  );
};

function presentContact(row: ContactRow): z.input<typeof contactSchema> {
  const { id, personId, lifecycle, country, region, createdAt } = row;
  return { id, person: personId, lifecycle, country, region, created_at: isoTime(createdAt) };
}

function presentMerge(row: MergeRow): z.input<typeof mergeSchema> {
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

export const resource: Resource = {
  tag: { name: 'contacts', description: 'People: who they are, who turned out to be the same, and how they are erased.' },
  guard: 'tenant',
  changes: 'administer',
  routes,
};

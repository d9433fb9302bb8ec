import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { rehearseContact } from '../../../operations/rehearse-contact.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { invalidRequest, problem, problems, wrongChoice } from '../../plugins/errors.ts';
import type { Resource, ResourceOptions } from '../resource.ts';

const transcriptSchema = z
  .object({
    sequence: z.string(),
    version: z.int(),
    timeZone: z.string(),
    events: z.array(
      z.object({
        at: z.string(),
        kind: z.enum(['received', 'sent', 'deferred', 'skipped', 'stopped']),
        step: z.string().nullable(),
        channel: z.string().nullable(),
        reason: z.string().nullable(),
        note: z.string().nullable(),
        until: z.string().nullable(),
      }),
    ),
    finished: z.object({ reason: z.string(), at: z.string() }).nullable(),
  })
  .meta({ id: 'Transcript' });

const body = z.strictObject({
  contact: z.string().min(1).max(320).optional().meta({
    description:
      'The id of a contact, or an email address of theirs; left out: an invented first customer in the time zone of the store, who has agreed to every channel that is connected.',
  }),
  sequence: z.string().max(40).optional().meta({ description: 'The slug of a sequence of the store: the version in use.' }),
  yaml: z.string().max(200_000).optional().meta({ description: 'Instead: the text of a sequence file.' }),
  scenario: z.string().max(100_000).default('').meta({ description: 'A scenario in YAML; of it, `events` and `from` count.' }),
});

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  app.post(
    '/api/rehearsals',
    {
      // It changes nothing.
      config: { permission: 'read' },
      schema: {
        summary: 'Rehearse a sequence for a person',
        description:
          'What would be sent to this person, put off and left out, were they to leave a cart or lead now: their clock, consents, suppressions, what they got lately and what runs for them are facts. Without a contact, the same for an invented customer. Sends and changes nothing.',
        body,
        response: { 200: transcriptSchema, ...problems(400, 401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const { contact, sequence, yaml, scenario } = request.body;
      if ((sequence === undefined) === (yaml === undefined))
        return wrongChoice(reply, 'body', ['sequence', 'yaml'], 'Say what to rehearse: sequence, or yaml.');
      const what = yaml === undefined ? { slug: sequence ?? '' } : { yaml };
      const done = await rehearseContact(deps, { tenantId: callerOf(request).tenantId, contact: contact ?? null, what, scenario });
      switch (done.kind) {
        case 'rehearsed':
          return done.transcript;
        case 'unknown_contact':
          return problem(reply, 404, 'unknown_contact', 'There is no such contact.');
        case 'unknown_sequence':
          return problem(reply, 404, 'unknown_sequence', 'There is no such sequence.');
        case 'invalid':
          return invalidRequest(reply, [{ path: `body/${done.field}`, message: done.detail }]);
      }
    },
  );
};

export const resource: Resource = {
  tag: { name: 'rehearsals', description: 'What a sequence would send to a person.' },
  guard: 'tenant',
  changes: 'edit',
  routes,
};

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { mergeByHand } from '../../../operations/people/merge-by-hand.ts';
import { recordConsent } from '../../../operations/people/record-consent.ts';
import { attemptChannels } from '../../../operations/read/attempts.ts';
import { actorOf, callerOf } from '../../plugins/authenticate.ts';
import { invalidRequest, problem, problems } from '../../plugins/errors.ts';
import { idParams, isId, lineField, noteField } from '../../routes/fields.ts';
import { consentSchema, presentConsent } from '../consents/schemas.ts';
import type { ResourceOptions } from '../resource.ts';
import { mergeSchema, presentMerge } from './merges.ts';

const unknown = ['unknown_contact', 'No contact of yours has this id.'] as const;
const busy = 'Somebody else is changing this person right now, or a message is on its way. Ask again.';
const note = noteField.optional().meta({ description: 'Why, for the audit log.' });

const consentBody = z.strictObject({
  channel: z.enum(['all', ...attemptChannels]).meta({ description: '`all`: every channel, for `denied` alone.' }),
  state: z.enum(['granted', 'denied']),
  stated_at: z.iso.datetime({ offset: true }).optional().meta({ description: 'When it was said; default: now.' }),
  wording: lineField(2_000).optional().meta({ description: 'The exact sentence that they agreed to. Needed for `granted`.' }),
  wording_version: lineField(100).optional(),
  ip: lineField(100).optional(),
  user_agent: lineField(500).optional(),
  url: lineField(2_000).optional().meta({ description: 'The page on which it was given.' }),
  note,
});

/** What colleagues state about people. */
export function handRoutes(app: Parameters<FastifyPluginAsyncZod>[0], { deps }: Pick<ResourceOptions, 'deps'>): void {
  app.post(
    '/api/contacts/:id/merge',
    {
      schema: {
        summary: 'Make one person of two',
        description:
          'As an event does that names both: opt-outs, purchases and replies of either hold for the whole person, and of two enrollments that may not run together the older gives way. The older contact stays. `unmerge` undoes it. Refusals are 409: `already_one`, `kept_apart` (a merge of them was undone).',
        params: idParams,
        body: z.strictObject({ with: z.uuid().meta({ description: 'Any contact of the other person.' }), note }),
        response: { 200: mergeSchema, ...problems(400, 401, 404, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { with: other, note: why = null } = request.body;
      const whose = { tenantId: callerOf(request).tenantId, actor: actorOf(request), note: why };
      const merged = isId(id) ? await mergeByHand(deps, { ...whose, contactIds: [id.toLowerCase(), other] }) : ({ kind: 'not_found' } as const);
      switch (merged.kind) {
        case 'merged':
          return presentMerge(merged.merge);
        case 'not_found':
          return problem(reply, 404, ...unknown);
        case 'already_one':
          return problem(reply, 409, merged.kind, 'They are one person already.');
        case 'kept_apart':
          return problem(reply, 409, merged.kind, 'A merge of these two was undone, and they are kept apart since.');
        case 'busy':
          return problem(reply.header('retry-after', '1'), 503, 'busy', busy);
      }
    },
  );

  app.post(
    '/api/contacts/:id/consents',
    {
      config: { permission: 'operate' },
      schema: {
        summary: 'Record what a person has said about being contacted',
        description:
          'Their own statement, as a colleague heard or read it, with the effects of one: a refusal closes the channel (all channels, unless the store’s settings say otherwise) and ends what runs, answered when no message of theirs can go out any more; an agreement opens a channel that they had closed themselves. Bounces and complaints stay. Records are added, and never changed.',
        params: idParams,
        body: consentBody,
        response: { 201: consentSchema, ...problems(400, 401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { channel, state, stated_at: statedAt, wording = null, note: why = null, ...proof } = request.body;
      const nowMs = deps.clock.nowMs();
      const atMs = statedAt === undefined ? nowMs : Date.parse(statedAt);
      const wrong = [
        ...(atMs > nowMs ? [{ path: 'body/stated_at', message: 'lies in the future' }] : []),
        ...(state === 'granted' && channel === 'all'
          ? [{ path: 'body/channel', message: 'is one channel: nobody agrees to all of them at once' }]
          : []),
        ...(state === 'granted' && wording === null ? [{ path: 'body/wording', message: 'is missing: what exactly did they agree to?' }] : []),
      ];
      if (wrong.length > 0) return invalidRequest(reply, wrong);
      const { wording_version: wordingVersion, user_agent: userAgent, ip, url } = proof;
      const given = {
        ...(wordingVersion === undefined ? {} : { wordingVersion }),
        ...(userAgent === undefined ? {} : { userAgent }),
        ...(ip === undefined ? {} : { ip }),
        ...(url === undefined ? {} : { url }),
      };
      const said = { channel: channel === 'all' ? null : channel, state, atMs, wording, proof: given, note: why };
      const whose = { tenantId: callerOf(request).tenantId, actor: actorOf(request) };
      const recorded = isId(id) ? await recordConsent(deps, { ...whose, contactId: id.toLowerCase(), ...said }) : ({ kind: 'not_found' } as const);
      if (recorded.kind === 'recorded') return reply.code(201).send(presentConsent(recorded.consent));
      if (recorded.kind === 'not_found') return problem(reply, 404, ...unknown);
      return problem(reply.header('retry-after', '1'), 503, 'busy', busy);
    },
  );
}

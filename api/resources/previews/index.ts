import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { previewStep } from '../../../operations/preview-step.ts';
import { mostTestsPerHour, sendTest } from '../../../operations/send-test.ts';
import { actorOf, callerOf } from '../../plugins/authenticate.ts';
import { invalidRequest, problem, problems } from '../../plugins/errors.ts';
import { lineField } from '../../routes/fields.ts';
import type { Resource, ResourceOptions } from '../resource.ts';
import { presentPreview, previewSchema, refusePreview } from './present.ts';

const params = z.object({ slug: z.string(), step: z.string() });
const whom = {
  contact: lineField(320).optional().meta({ description: 'The id of a contact, or an email address of theirs; left out, a sample is shown.' }),
  sample: lineField(200).optional().meta({ description: 'The name of a sample, or a part of it; left out, the one of which everything is known.' }),
  variant: lineField(20).optional().meta({ description: 'The variant of the step to show; left out, the contact’s own, or the first.' }),
  locale: lineField(35).optional().meta({ description: 'The reader’s, BCP 47.' }),
};

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  app.get(
    '/api/sequences/:slug/steps/:step/preview',
    {
      schema: {
        summary: 'Show what a step says',
        description:
          'As a contact or a sample would get it now, by the version in use: the message, and which of its claims are shown and why. Sends and changes nothing.',
        params,
        querystring: z.strictObject(whom),
        response: { 200: previewSchema, ...problems(400, 401, 404, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { slug, step } = request.params;
      const { contact = null, sample = null, locale = null, variant = null } = request.query;
      const done = await previewStep(deps, { tenantId: callerOf(request).tenantId, slug, stepId: step, contact, sample, locale, variant });
      return done.kind === 'previewed' ? presentPreview(done.preview) : refusePreview(reply, done, 'querystring');
    },
  );

  app.post(
    '/api/sequences/:slug/steps/:step/send-test',
    {
      schema: {
        summary: 'Send a step to yourself',
        description: `One message to the address given, marked as a test. It is in no figure, list or cap, its links count nothing, and ${mostTestsPerHour} an hour are the most for a store.`,
        params,
        body: z.strictObject({ to: lineField(320).meta({ description: 'An email address; a telephone number for a text message.' }), ...whom }),
        response: {
          200: z.object({ outcome: z.enum(['accepted', 'refused', 'unknown']), channel: z.enum(['email', 'sms']), response: z.string() }),
          ...problems(400, 401, 404, 409, 429, 503),
        },
      },
    },
    async (request, reply) => {
      const { slug, step } = request.params;
      const { to, contact = null, sample = null, locale = null, variant = null } = request.body;
      const done = await sendTest(deps, {
        tenantId: callerOf(request).tenantId,
        slug,
        stepId: step,
        contact,
        sample,
        locale,
        variant,
        to,
        actor: actorOf(request),
      });
      switch (done.kind) {
        case 'sent':
          return { outcome: done.outcome.kind, channel: done.channel, response: done.outcome.response };
        case 'unreadable_address':
          return invalidRequest(reply, [{ path: 'body/to', message: 'is neither an email address nor a telephone number' }]);
        case 'suppressed':
          return problem(reply, 409, 'suppressed', 'Messages to this address are blocked: it has opted out, bounced or complained.');
        case 'not_connected':
          return problem(reply, 409, 'not_connected', 'No connection sends on this channel.');
        case 'too_many':
          return problem(
            reply.header('retry-after', '3600'),
            429,
            'too_many_tests',
            `${mostTestsPerHour} tests an hour are the most. Try again later.`,
          );
        default:
          return refusePreview(reply, done, 'body');
      }
    },
  );
};

export const resource: Resource = {
  tag: { name: 'previews', description: 'What a step says, shown or sent to yourself.' },
  guard: 'tenant',
  changes: 'edit',
  routes,
};

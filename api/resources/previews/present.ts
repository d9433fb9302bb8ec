import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { channelNames } from '../../../domain/channels/index.ts';
import type { Previewed, StepPreview } from '../../../operations/preview-step.ts';
import { invalidRequest, problem } from '../../plugins/errors.ts';

export const previewSchema = z
  .object({
    channel: z.enum(channelNames),
    locale: z.string().meta({ description: 'Of its words, BCP 47.' }),
    subject: z.string().nullable(),
    preheader: z.string().nullable(),
    html: z.string().nullable(),
    text: z.string(),
    cta: z.string().nullable(),
    claims: z.array(z.object({ claim: z.string(), shown: z.boolean(), why: z.string() })).meta({ description: 'That its text makes.' }),
    script: z.string().nullable().meta({ description: 'The name of the script that is said in the place of the step’s own text.' }),
    arm: z
      .object({
        variant: z.string(),
        experiment: z.uuid().nullable().meta({ description: 'The test of their campaign; null: one of the step’s own variants.' }),
        by: z.enum(['kept', 'drawn', 'winner']).meta({
          description: '`kept`: they had it before. `drawn`: theirs by chance, kept from the first message on. `winner`: the test is over.',
        }),
      })
      .nullable()
      .meta({ description: 'Of a test, for this contact; null: nothing is compared here, or a sample is shown.' }),
  })
  .meta({ id: 'MessagePreview' });

export const presentPreview = ({ arm, ...preview }: StepPreview): z.input<typeof previewSchema> => ({
  ...preview,
  arm: arm === null ? null : { variant: arm.variant, experiment: arm.experimentId, by: arm.by },
});

/** Why there is no preview. */
export function refusePreview(reply: FastifyReply, refused: Exclude<Previewed, { kind: 'previewed' }>, where: 'querystring' | 'body'): FastifyReply {
  switch (refused.kind) {
    case 'unknown_sequence':
      return problem(reply, 404, 'unknown_sequence', 'There is no such sequence with a version in use.');
    case 'unknown_step':
      return problem(reply, 404, 'unknown_step', 'The version in use has no such step.');
    case 'unknown_contact':
      return problem(reply, 404, 'unknown_contact', 'There is no such contact.');
    case 'unknown_sample':
      return invalidRequest(reply, [{ path: `${where}/sample`, message: `is none of: ${refused.samples.join('; ')}` }]);
    case 'unknown_variant': {
      const known = refused.variants.length === 0 ? 'the step has none' : `the step has ${refused.variants.join(', ')}`;
      return invalidRequest(reply, [{ path: `${where}/variant`, message: `is no variant of this step: ${known}` }]);
    }
    case 'no_text':
      return problem(reply, 409, 'no_text', 'This step sends no text on that channel.');
  }
}

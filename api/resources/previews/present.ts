import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { channelNames } from '../../../domain/channels/index.ts';
import type { Previewed } from '../../../operations/preview-step.ts';
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
  })
  .meta({ id: 'MessagePreview' });

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
    case 'no_text':
      return problem(reply, 409, 'no_text', 'This step sends no text on that channel.');
  }
}

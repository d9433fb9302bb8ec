import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { may } from '../../../operations/access.ts';
import { decodeCursor, type LiveCursor } from '../../../operations/live/cursor.ts';
import { webhookEventTypes } from '../../../operations/webhooks/event-types.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { problem } from '../../plugins/errors.ts';

export const typesField = z
  .string()
  .max(4_000)
  .transform((text, context) => {
    const named = text.split(',').map((one) => one.trim());
    const unknown = named.find((one) => !(webhookEventTypes as readonly string[]).includes(one));
    if (unknown !== undefined) context.addIssue(`has no type ${unknown.slice(0, 60)}: docs/outgoing-webhooks.md lists them`);
    return new Set(named);
  })
  .optional()
  .meta({ description: 'Only these types, separated by commas.' });

export const afterField = z
  .string()
  // With everything else in the head of a request, which holds 16 KiB.
  .max(12_000)
  .transform((text, context): LiveCursor => {
    const cursor = decodeCursor(text);
    if (cursor !== null) return cursor;
    context.addIssue('is no cursor of events: leave it out to begin with what happens from now on');
    return z.NEVER;
  })
  .optional();

export const personalField = z
  .enum(['true', 'false'])
  .optional()
  .meta({ description: 'With addresses and names of the people. This needs the permission `operate`.' });

export const eventSchema = z
  .object({
    cursor: z.string().meta({ description: 'Give it as `after` for what is newer.' }),
    id: z
      .string()
      .meta({ description: 'The same for each reader, and the `webhook-id` of the event. After a reconnect an event may come once more.' }),
    type: z.enum(webhookEventTypes),
    timestamp: z.iso.datetime(),
    data: z.looseObject({}).meta({ description: 'As `webhooks` of this document has it for the type.' }),
  })
  .meta({ id: 'LiveEvent' });

/** Personal data need more than to read. @returns true once it is refused */
export function refusesPersonalData(
  request: FastifyRequest<{ Querystring: { personal_data?: 'true' | 'false' | undefined } }>,
  reply: FastifyReply,
): boolean {
  if (request.query.personal_data !== 'true' || may(callerOf(request).role, 'operate')) return false;
  void problem(
    reply,
    403,
    'forbidden',
    'Addresses and names need the permission `operate`. Leave out `personal_data`, or ask an owner for the role agent.',
    {
      permission: 'operate',
    },
  );
  return true;
}

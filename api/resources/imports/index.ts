import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import {
  beginImport,
  cancelImport,
  ignoredColumn,
  importFields,
  type ImportErrorRow,
  type ImportRow,
  listImportErrors,
  listImports,
  mostFileBytes,
  readImport,
} from '../../../operations/imports/imports.ts';
import { actorOf, callerOf } from '../../plugins/authenticate.ts';
import { invalidRequest, problem, problems } from '../../plugins/errors.ts';
import { idParams, isId, isoTime, isoTimeOrNull, lineField, timeField } from '../../routes/fields.ts';
import { aList, pageWanted } from '../list.ts';
import type { Resource, ResourceOptions } from '../resource.ts';

const importSchema = z
  .object({
    id: z.uuid(),
    state: z.enum(['receiving', 'running', 'done', 'cancelled']),
    fault: z
      .string()
      .nullable()
      .meta({ description: 'Why it does not go on, and what to do: at present, or for good where it is `cancelled`. null: it does, or it is over.' }),
    campaign: z.uuid().nullable(),
    source: z.string(),
    bytes: z.int(),
    bytes_done: z.int(),
    rows: z.int().meta({ description: 'Rows that were looked at.' }),
    taken_in: z.int().meta({ description: 'Rows that are leads now, those among them that were leads before.' }),
    mistakes: z.int().meta({ description: 'Lines with something wrong: `/errors` names them.' }),
    ignored_columns: z.array(z.string()),
    requested_by: z.string(),
    created_at: timeField,
    ended_at: timeField.nullable(),
  })
  .meta({ id: 'Import' });

const errorSchema = z
  .object({
    line: z.int().meta({ description: 'Of the file, counted from 1 with the header.' }),
    reason: z.string(),
    taken_in: z.boolean().meta({ description: 'The row is a lead all the same: something of it was left out.' }),
  })
  .meta({ id: 'ImportError' });

const fields = [...importFields, ignoredColumn] as const;
/** What columns hold, as JSON in the address: the body is the file. */
const columns = z
  .string()
  .max(10_000)
  .transform((text, context): Record<string, string> => {
    const read = z.record(z.string().max(200), z.enum(fields as unknown as [string, ...string[]])).safeParse(parsed(text));
    if (read.success) return read.data;
    context.addIssue(`is no JSON object of columns and what they hold: one of ${fields.join(', ')}`);
    return z.NEVER;
  })
  .meta({ description: 'What columns hold, by their names, as JSON: `{"Rufnummer":"phone","Notiz":"ignore"}`. The usual names need none.' });

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const query = z.strictObject({
  campaign: z.uuid().optional().meta({ description: 'Its leads go there. Default: to every campaign that takes their source.' }),
  source: lineField(100).default('BULK').meta({ description: 'Of the leads.' }),
  columns: columns.optional(),
});

const list = aList({ name: 'imports', item: importSchema, filters: {}, usual: 20, most: 100 });
const errorList = aList({ name: 'import-errors', first: 'oldest', item: errorSchema, filters: {} });
const unknown = ['unknown_import', 'There is no such import.'] as const;

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  // The file is stored as it comes in; memory holds a part of it.
  app.addContentTypeParser('text/csv', (_request, payload, done) => done(null, payload));

  app.post(
    '/api/imports',
    {
      bodyLimit: mostFileBytes,
      schema: {
        summary: 'Import leads from a CSV file',
        description:
          'The body is the file, as `text/csv` in UTF-8, at most 200 MiB; its first line names the columns. Answered once it is stored; its rows are then taken in as by `POST /api/leads`, and go on after a restart. A row that cannot be used is named with its line, and the others go on.',
        querystring: query,
        response: { 202: importSchema, ...problems(400, 401, 404, 409, 413, 429, 503) },
      },
    },
    async (request, reply) => {
      if (!isFile(request)) return problem(reply, 400, 'no_file', 'Send the file itself as the body, with the header Content-Type: text/csv.');
      if (Number(request.headers['content-length'] ?? 0) > mostFileBytes) return tooLarge(reply, mostFileBytes);
      const { campaign = null, source, columns: named = {} } = request.query;
      const wish = { tenantId: callerOf(request).tenantId, campaignId: campaign, source, columns: named, actor: actorOf(request) };
      const begun = await beginImport(deps, wish, request.body);
      switch (begun.kind) {
        case 'begun':
          return reply.code(202).send(present(begun.row));
        case 'unknown_campaign':
          return problem(reply, 404, begun.kind, 'There is no such campaign.');
        case 'campaign_not_active':
          return problem(reply, 409, begun.kind, 'The campaign is not active: it takes no leads.');
        case 'too_large':
          return tooLarge(reply, begun.most);
        case 'unreadable':
          return invalidRequest(reply, [{ path: 'body', message: begun.reason }]);
      }
    },
  );

  app.get(
    '/api/imports',
    {
      schema: {
        summary: 'List imports, the newest first',
        querystring: list.query,
        response: { 200: list.answer, ...problems(400, 401, 429, 503) },
      },
    },
    async (request) => {
      const { limit, sort, cursor } = request.query;
      return list.present(request.query.sort, await listImports(deps, callerOf(request).tenantId, pageWanted({ limit, sort, cursor })), present);
    },
  );

  app.get(
    '/api/imports/:id',
    { schema: { params: idParams, summary: 'Show how far an import is', response: { 200: importSchema, ...problems(401, 404, 429, 503) } } },
    async (request, reply) => {
      const { id } = request.params;
      const found = isId(id) ? await readImport(deps, callerOf(request).tenantId, id) : null;
      return found === null ? problem(reply, 404, ...unknown) : present(found);
    },
  );

  app.get(
    '/api/imports/:id/errors',
    {
      schema: {
        summary: 'List what is wrong with the lines of an import',
        params: idParams,
        querystring: errorList.query,
        response: { 200: errorList.answer, ...problems(400, 401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { limit, sort, cursor } = request.query;
      const found = isId(id) ? await listImportErrors(deps, callerOf(request).tenantId, id, pageWanted({ limit, sort, cursor })) : null;
      return found === null ? problem(reply, 404, ...unknown) : errorList.present(request.query.sort, found, presentError);
    },
  );

  app.post(
    '/api/imports/:id/cancel',
    {
      schema: {
        params: idParams,
        summary: 'End an import; who is a lead already stays one',
        response: { 200: importSchema, ...problems(401, 404, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const changed = isId(id) ? await cancelImport(deps, { tenantId: callerOf(request).tenantId, id, actor: actorOf(request) }) : null;
      if (changed === null) return problem(reply, 404, ...unknown);
      if (changed.refused) return problem(reply, 409, 'wrong_state', `It is ${changed.row.state}: there is nothing to cancel.`);
      return present(changed.row);
    },
  );
};

type WithFile = FastifyRequest & { body: AsyncIterable<Buffer> };
const isFile = (request: FastifyRequest): request is WithFile =>
  typeof request.body === 'object' && request.body !== null && Symbol.asyncIterator in request.body;

/** The rest of the file is not read. */
const tooLarge = (reply: FastifyReply, most: number) =>
  problem(
    reply.header('connection', 'close'),
    413,
    'too_large',
    `The file is larger than ${Math.floor(most / 1024 / 1024)} MiB: divide it. Nothing of it was stored.`,
  );

const present = (row: ImportRow): z.input<typeof importSchema> => ({
  id: row.id,
  state: row.state,
  fault: row.fault,
  campaign: row.campaignId,
  source: row.source,
  bytes: row.bytes,
  bytes_done: row.state === 'done' ? row.bytes : row.bytesDone,
  rows: row.rows,
  taken_in: row.takenIn,
  mistakes: row.mistakes,
  ignored_columns: row.ignored,
  requested_by: row.requestedBy,
  created_at: isoTime(row.createdAt),
  ended_at: isoTimeOrNull(row.endedAt),
});

const presentError = ({ line, reason, takenIn }: ImportErrorRow): z.input<typeof errorSchema> => ({ line, reason, taken_in: takenIn });

export const resource: Resource = {
  tag: { name: 'imports', description: 'Files of leads, taken in row by row.' },
  guard: 'tenant',
  changes: 'edit',
  routes,
};

import type { FastifyReply } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { readShadow, startShadow, stopShadow } from '../../../operations/shadow/shadows.ts';
import { changeState, type StateChange, stateChanges } from '../../../operations/versions/change-state.ts';
import { deleteDraft, readDraft, storeDraft } from '../../../operations/versions/draft.ts';
import { previewDraft, publishDraft, type Published, type PublishRefused, rollBack } from '../../../operations/versions/publish.ts';
import { listSequences, listVersions, readDefinition, readSequence, slugOfSequence } from '../../../operations/versions/read.ts';
import { actorOf, callerOf } from '../../plugins/authenticate.ts';
import { invalidRequest, problem, problems } from '../../plugins/errors.ts';
import { isId } from '../../routes/fields.ts';
import { aList, pageWanted } from '../list.ts';
import type { Resource, ResourceOptions } from '../resource.ts';
import { enrollmentRoutes } from './enrollments.ts';
import { editingRoutes } from './editing.ts';
import { formRoutes } from './form.ts';
import { outcomesRoutes } from './outcomes.ts';
import { statsRoutes } from './stats.ts';
import { presentDraft, presentPreview, presentSequence, presentShadow, presentVersion } from './present.ts';
import {
  activateBody,
  definitionSchema,
  draftBody,
  draftSchema,
  previewSchema,
  publishBody,
  publishedSchema,
  rollbackBody,
  sequenceSchema,
  shadowSchema,
  slugParams,
  stateBody,
  versionParams,
  versionSchema,
} from './schemas.ts';

const list = aList({ name: 'sequences', first: 'oldest', fields: { slug: 'text' }, item: sequenceSchema, filters: {} });
const versions = aList({ name: 'versions', item: versionSchema, filters: {}, key: 'number' });
const unknown = (reply: FastifyReply) => problem(reply, 404, 'unknown_sequence', 'There is no such sequence.');
const noDraft = (reply: FastifyReply) => problem(reply, 404, 'no_draft', 'The sequence has no draft: store one first.');

/** Why a draft is not published, or not shown beside the version in use. */
function refuse(reply: FastifyReply, refused: PublishRefused): FastifyReply {
  switch (refused.kind) {
    case 'unknown':
      return problem(reply, 404, 'unknown_sequence', 'There is no such sequence, or no such version of it.');
    case 'no_draft':
      return noDraft(reply);
    case 'archived':
      return problem(reply, 409, 'archived', 'The sequence is archived: unarchive it first.');
    case 'invalid':
      return invalidRequest(reply, refused.faults, 'The draft cannot be published like this.');
    case 'stale':
      return problem(
        reply,
        409,
        'stale_version',
        `Version ${refused.version} is in use, or the draft was changed: look at the preview again, then publish.`,
      );
    case 'unchanged':
      return problem(reply, 409, 'unchanged', `It says the same as version ${refused.version}, which is in use.`);
    case 'choice_needed': {
      const who = refused.waitedFor.map(({ step, waiting }) => `${step} (${waiting})`).join(', ');
      return problem(
        reply,
        409,
        'choice_needed',
        `Enrollments wait for steps that are removed: ${who}. Say what becomes of them: running is stay, move or exit.`,
        {
          waiting: refused.waitedFor,
        },
      );
    }
  }
}

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, options) => {
  const { deps } = options;
  // A sequence is named by its slug or by its id.
  app.addHook('preHandler', async (request) => {
    const params = request.params as { slug?: string };
    if (params.slug !== undefined && isId(params.slug))
      params.slug = (await slugOfSequence(deps, callerOf(request).tenantId, params.slug)) ?? params.slug;
  });
  readRoutes(app, deps);
  draftRoutes(app, deps);
  publishRoutes(app, deps);
  shadowRoutes(app, deps);
  await enrollmentRoutes(app, options);
  await editingRoutes(app, options);
  await formRoutes(app, options);
  await statsRoutes(app, options);
  await outcomesRoutes(app, options);
  for (const change of stateChanges) stateRoute(app, deps, change);
};

type App = Parameters<typeof routes>[0];
type Built = ResourceOptions['deps'];

function readRoutes(app: App, deps: Built): void {
  app.get(
    '/api/sequences',
    { schema: { summary: 'List the store’s sequences', querystring: list.query, response: { 200: list.answer, ...problems(400, 401, 429, 503) } } },
    async (request) => {
      const { limit, sort, cursor } = request.query;
      return list.present(
        request.query.sort,
        await listSequences(deps, callerOf(request).tenantId, pageWanted({ limit, sort, cursor })),
        presentSequence,
      );
    },
  );

  app.get(
    '/api/sequences/:slug/versions',
    {
      schema: {
        summary: 'List the versions of a sequence, the latest first',
        params: slugParams,
        querystring: versions.query,
        response: { 200: versions.answer, ...problems(400, 401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const { limit, sort, cursor } = request.query;
      const found = await listVersions(deps, callerOf(request).tenantId, request.params.slug, pageWanted({ limit, sort, cursor }));
      return found === null ? unknown(reply) : versions.present(request.query.sort, found, presentVersion);
    },
  );

  app.get(
    '/api/sequences/:slug/versions/:version',
    {
      schema: {
        summary: 'Show what a version says',
        params: versionParams,
        response: { 200: definitionSchema, ...problems(400, 401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const version = Number(request.params.version);
      const definition = await readDefinition(deps, callerOf(request).tenantId, request.params.slug, version);
      return definition === null ? unknown(reply) : { version, definition: { ...definition } };
    },
  );
}

function draftRoutes(app: App, deps: Built): void {
  app.put(
    '/api/sequences/:slug/draft',
    {
      schema: {
        summary: 'Store the draft of a sequence',
        description:
          'It takes the place of the draft before, and changes nothing that runs. A file that cannot be used is refused with every mistake, its place and its remedy.',
        params: slugParams,
        body: draftBody,
        response: { 200: draftSchema, ...problems(400, 401, 429, 503) },
      },
    },
    async (request, reply) => {
      const stored = await storeDraft(deps, {
        tenantId: callerOf(request).tenantId,
        slug: request.params.slug,
        source: request.body,
        actor: actorOf(request),
      });
      if (stored.kind === 'stored') return presentDraft(stored.draft);
      return invalidRequest(reply, stored.kind === 'invalid' ? stored.faults : [], 'The sequence cannot be used like this.');
    },
  );

  app.get(
    '/api/sequences/:slug/draft',
    { schema: { summary: 'Show the draft of a sequence', params: slugParams, response: { 200: draftSchema, ...problems(401, 404, 429, 503) } } },
    async (request, reply) => {
      const draft = await readDraft(deps, callerOf(request).tenantId, request.params.slug);
      return draft === null ? noDraft(reply) : presentDraft(draft);
    },
  );

  app.delete(
    '/api/sequences/:slug/draft',
    { schema: { summary: 'Delete the draft of a sequence', params: slugParams, response: { 204: z.null(), ...problems(401, 404, 429, 503) } } },
    async (request, reply) => {
      const deleted = await deleteDraft(deps, { tenantId: callerOf(request).tenantId, slug: request.params.slug, actor: actorOf(request) });
      return deleted ? reply.code(204).send(null) : noDraft(reply);
    },
  );

  app.get(
    '/api/sequences/:slug/preview',
    {
      schema: {
        summary: 'Preview publishing the draft',
        description: 'What it changes, and how many open enrollments stand before, at or past each changed step. Nothing is changed by asking.',
        params: slugParams,
        response: { 200: previewSchema, ...problems(400, 401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const preview = await previewDraft(deps, callerOf(request).tenantId, request.params.slug);
      return 'kind' in preview ? refuse(reply, preview) : presentPreview(preview);
    },
  );
}

function publishRoutes(app: App, deps: Built): void {
  const response = { 200: publishedSchema, ...problems(400, 401, 404, 409, 429, 503) };
  const answer = async (reply: FastifyReply, tenantId: string, slug: string, published: Published) => {
    if (published.kind !== 'published') return refuse(reply, published);
    const sequence = await readSequence(deps, tenantId, slug);
    if (sequence === null) throw new Error('a sequence was published that is not there');
    return reply.send({ sequence: presentSequence(sequence), version: published.version, open_enrollments: published.affected.open });
  };

  app.post(
    '/api/sequences/:slug/publish',
    {
      schema: {
        summary: 'Publish the draft',
        description:
          'New enrollments get it from now on. Refused with 409 and a `code`: `stale_version`, `choice_needed` (somebody waits for a step that is removed, and `running` is left out), `unchanged`, `archived`.',
        params: slugParams,
        body: publishBody,
        response,
      },
    },
    async (request, reply) => {
      const { tenantId } = callerOf(request);
      const { slug } = request.params;
      const { base_version: baseVersion, draft: draftHash = null, running = null } = request.body;
      const published = await publishDraft(deps, { tenantId, slug, baseVersion, draftHash, running, actor: actorOf(request) });
      return answer(reply, tenantId, slug, published);
    },
  );

  app.post(
    '/api/sequences/:slug/activate',
    {
      schema: {
        summary: 'Activate the draft as the next version',
        description:
          'As `publish`, of the version that is in use now: new enrollments get the draft from now on. Those who are in it stay on theirs, unless `running` says otherwise. A draft with an error of the linter is refused.',
        params: slugParams,
        body: activateBody,
        response,
      },
    },
    async (request, reply) => {
      const { tenantId } = callerOf(request);
      const { slug } = request.params;
      const { base_version: seen, draft: draftHash = null, running = null } = request.body ?? {};
      const baseVersion = seen ?? (await readSequence(deps, tenantId, slug))?.version ?? 0;
      return answer(reply, tenantId, slug, await publishDraft(deps, { tenantId, slug, baseVersion, draftHash, running, actor: actorOf(request) }));
    },
  );

  app.post(
    '/api/sequences/:slug/rollback',
    {
      schema: {
        summary: 'Publish an earlier version again',
        description: 'Its content becomes a new version: numbers never change what they stand for. Refused as `publish` is.',
        params: slugParams,
        body: rollbackBody,
        response,
      },
    },
    async (request, reply) => {
      const { tenantId } = callerOf(request);
      const { slug } = request.params;
      const { base_version: baseVersion, to, running = null } = request.body;
      return answer(reply, tenantId, slug, await rollBack(deps, { tenantId, slug, baseVersion, to, running, actor: actorOf(request) }));
    },
  );
}

function shadowRoutes(app: App, deps: Built): void {
  const noShadow = (reply: FastifyReply) => problem(reply, 404, 'no_shadow', 'No draft of this sequence runs as its shadow.');

  app.post(
    '/api/sequences/:slug/shadow',
    {
      schema: {
        summary: 'Let the draft decide as a shadow',
        description:
          'It becomes a version that nobody is taken into. Beside every enrollment that begins from now on it decides as a real version would, stores what it decides, and sends nothing. Refused with 409: `shadow_running`, `nothing_beside`.',
        params: slugParams,
        response: { 200: shadowSchema, ...problems(400, 401, 404, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { tenantId } = callerOf(request);
      const { slug } = request.params;
      const started = await startShadow(deps, { tenantId, slug, actor: actorOf(request) });
      if (started.kind === 'no_draft') return noDraft(reply);
      if (started.kind === 'invalid') return invalidRequest(reply, started.faults, 'The draft cannot be used like this.');
      if (started.kind === 'running') return problem(reply, 409, 'shadow_running', 'A shadow of this sequence runs already: stop it first.');
      if (started.kind === 'nothing_beside')
        return problem(
          reply,
          409,
          'nothing_beside',
          'No published sequence is started by the same trigger, so there is nothing beside which it could decide.',
        );
      const report = await readShadow(deps, tenantId, slug);
      return report === null ? noShadow(reply) : presentShadow(report);
    },
  );

  app.get(
    '/api/sequences/:slug/shadow',
    {
      schema: {
        summary: 'Show what a shadow has decided',
        description: 'Of the latest shadow of the sequence: its verdicts, and where they differ from a rehearsal, with the reason.',
        params: slugParams,
        response: { 200: shadowSchema, ...problems(401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const report = await readShadow(deps, callerOf(request).tenantId, request.params.slug);
      return report === null ? noShadow(reply) : presentShadow(report);
    },
  );

  app.delete(
    '/api/sequences/:slug/shadow',
    {
      schema: {
        summary: 'Stop a shadow',
        description: 'What it has decided stays.',
        params: slugParams,
        response: { 204: z.null(), ...problems(401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const stopped = await stopShadow(deps, { tenantId: callerOf(request).tenantId, slug: request.params.slug, actor: actorOf(request) });
      return stopped ? reply.code(204).send(null) : noShadow(reply);
    },
  );
}

const about: Record<StateChange, { summary: string; description: string }> = {
  pause: {
    summary: 'Pause a sequence',
    description: 'Nothing of it is sent and nobody is taken in. No due time moves: what is too old when it is resumed is skipped.',
  },
  resume: { summary: 'Resume a sequence', description: 'What waits goes on within the hour; what is too old by then is skipped.' },
  archive: { summary: 'Archive a sequence', description: 'Nobody is taken in any more. Those who are in it go on to their end.' },
  unarchive: { summary: 'Take a sequence out of the archive', description: 'It takes people in again.' },
  end: {
    summary: 'End a sequence',
    description:
      'Everybody who is in it exits as `sequence_ended`, and nobody is taken in any more. From the answer on, nothing of it is decided to be sent.',
  },
};

function stateRoute(app: App, deps: Built, change: StateChange): void {
  app.post(
    `/api/sequences/:slug/${change}`,
    {
      schema: { ...about[change], params: slugParams, body: stateBody, response: { 200: sequenceSchema, ...problems(400, 401, 404, 409, 429, 503) } },
    },
    async (request, reply) => {
      const { tenantId } = callerOf(request);
      const { slug } = request.params;
      const changed = await changeState(deps, { tenantId, slug, change, actor: actorOf(request), note: request.body?.note ?? null });
      const found = changed.kind === 'changed' ? await readSequence(deps, tenantId, slug) : null;
      if (found !== null) return presentSequence(found);
      if (changed.kind !== 'not_published') return unknown(reply);
      return problem(reply, 409, 'not_published', 'Nothing was published of it yet.');
    },
  );
}

export const resource: Resource = {
  tag: { name: 'sequences', description: 'Sequences and their versions: draft, preview, publish, roll back, pause, archive, end' },
  guard: 'tenant',
  changes: 'edit',
  routes,
};

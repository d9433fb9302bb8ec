import { randomUUID } from 'node:crypto';
import swagger from '@fastify/swagger';
import websocket from '@fastify/websocket';
import type { Client } from '@temporalio/client';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController, type RouteOptions } from 'fastify';
import {
  jsonSchemaTransform,
  jsonSchemaTransformObject,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod';
import type { Registry } from 'prom-client';
import type { BuiltDeps } from '../operations/create-deps.ts';
import { hashApiKey } from '../operations/api-keys.ts';
import type { Permission } from '../operations/access.ts';
import { trustedOrigins } from '../operations/identity/paths.ts';
import { createWorkflowEngine } from '../temporal/engine.ts';
import { requireCaller, requireInstallationKey } from './plugins/authenticate.ts';
import { allowOrigins } from './plugins/cross-origin.ts';
import { describeEntityTags, entityTags } from './plugins/entity-tags.ts';
import { handleErrors, problem, problems } from './plugins/errors.ts';
import { describeIdempotency, idempotency } from './plugins/idempotency.ts';
import { createLimits } from './plugins/rate-limits.ts';
import { limitRequests } from './plugins/request-rates.ts';
import { sendSecurityHeaders } from './plugins/security-headers.ts';
import { refuseUnreadable } from './plugins/unreadable-requests.ts';
import { keepRequestIds } from './plugins/request-ids.ts';
import { endSilentConnections } from './plugins/silent-connections.ts';
import { refuseUnknownAddresses } from './plugins/unknown-addresses.ts';
import { loadResources } from './resources/load.ts';
import { type Guard, permissionOf, securityOf } from './resources/resource.ts';
import type { PayloadKeys } from '../temporal/payload-codec.ts';
import { codecRoutes } from './routes/codec/codec.ts';
import { docsRoutes } from './routes/docs/docs.ts';
import { createExamine, createExamineStorage } from './routes/health/examine.ts';
import { dashboardRoutes } from './routes/dashboard/dashboard.ts';
import { healthRoutes } from './routes/health/health.ts';
import { metricsRoute } from './routes/health/metrics.ts';
import { linkRoutes } from './routes/links/links.ts';
import { startRoutes } from './routes/live/start.ts';
import { onsiteRoutes } from './routes/onsite/onsite.ts';
import { mcpRoute } from './routes/mcp/mcp.ts';
import { completeOpenApi, openApi, openApiRoute } from './routes/open-api.ts';
import { recoveryConfigRoutes } from './routes/recovery/config.ts';
import { recoveryRoutes } from './routes/recovery/recovery.ts';
import { sessionPages } from './routes/session/pages.ts';
import { sessionRoutes } from './routes/session/session.ts';
import { webhookRoutes } from './routes/webhooks/receive.ts';
import { workflowLinks } from './routes/workflow-links.ts';

export interface AppOptions {
  deps: BuiltDeps;
  logger: FastifyBaseLogger;
  /** For /healthz. */
  client: Client;
  /** For /metrics. */
  registry: Registry;
  /** Where the start page links to; null: not offered. */
  links: { temporalUi: string | null; mailbox: string | null };
  /**
   * Show at `/`, without a key, what happens to every tenant's shoppers as it happens. For one's own machine only: everywhere else tenants are kept
   * apart. Default false: `/` is a page of links.
   */
  livePage?: boolean;
  /** The key for `/api/tenants`, which spans tenants; default null: those routes stay closed. */
  installationKey?: string | null;
  /** See `ResourceOptions`; default 15 s. */
  heartbeatMs?: number;
  /** What Temporal stores is encrypted: `/codec` decrypts it for Temporal's Web UI and command. Default null: there is no such address. */
  payloadKeys?: PayloadKeys | null;
  /** Sites whose pages may call the API; default: none. */
  corsOrigins?: readonly string[];
  /** Proxies whose `X-Forwarded-For` says who asks; default: none, and who asks is who is connected. */
  trustedProxies?: readonly string[];
}

/** Writes down what a route needs, for its guard and in its description. */
function needsPermission(route: RouteOptions, changes: Permission | null): void {
  const permission = permissionOf(route, changes);
  route.config = { ...route.config, permission };
  const { response } = route.schema ?? {};
  const answers = typeof response === 'object' && response !== null ? response : {};
  Object.assign((route.schema ??= {}), { response: { ...answers, ...problems(403) }, 'x-permission': permission });
}

/**
 * Give a plugin the name that Fastify would otherwise look for among all modules that are loaded, twice for each plugin: that takes longer than
 * everything else that setting up does.
 */
function named<Plugin extends (...given: never[]) => unknown>(plugin: Plugin, name = plugin.name): Plugin {
  return Object.assign(plugin, { [Symbol.for('fastify.display-name')]: name });
}

/** Build the HTTP interface; `server.ts` listens. */
export async function buildApp({
  deps,
  logger,
  client,
  registry,
  links,
  livePage = false,
  installationKey = null,
  heartbeatMs = 15_000,
  corsOrigins = [],
  trustedProxies = [],
  payloadKeys = null,
}: AppOptions): Promise<FastifyInstance> {
  const app = Fastify({
    loggerInstance: logger,
    // Paths of links carry tokens, and every request is counted anyway.
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    // The logger itself adds the id of the request, which a caller with a key may have named.
    childLoggerFactory: (given, _bindings, options) => given.child({}, options),
    bodyLimit: 1024 * 1024,
    // Limits count by the caller's address: docs/rules.md#rule-136
    trustProxy: trustedProxies.length === 0 ? false : [...trustedProxies],
    // As Node has it by itself; Fastify switches it off, and a body that never ends would keep its connection for ever.
    requestTimeout: 300_000,
    // As much as Node accepts: a too long id is an unknown one, which each route answers in its own way.
    routerOptions: { maxParamLength: 16 * 1024 },
    // No hook runs for the next two.
    frameworkErrors: (_error, _request, reply) =>
      void problem(reply.header('x-content-type-options', 'nosniff'), 400, 'bad_url', 'The address is not well-formed: check its percent-encoding.'),
    clientErrorHandler: refuseUnreadable,
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  sendSecurityHeaders(app, deps.publicUrl);
  takeEmptyBodies(app);
  app.decorate('ownOrigins', trustedOrigins(deps.publicUrl));
  app.addHook('onClose', () => deps.identity.close());
  keepRequestIds(app);
  handleErrors(app);
  await allowOrigins(app, corsOrigins);
  refuseUnknownAddresses(app);
  endSilentConnections(app);
  // Listeners send nothing, so payloads are tiny. A key among the offered protocols is never echoed.
  await app.register(websocket, {
    options: { maxPayload: 1_024, handleProtocols: (offered) => (offered.has('rekindle.live') ? 'rekindle.live' : false) },
  });
  const resources = await loadResources();
  await app.register(swagger, {
    openapi: openApi(
      deps.publicUrl,
      resources.map((resource) => resource.tag),
    ),
    transform: jsonSchemaTransform,
    transformObject: (document) => completeOpenApi(jsonSchemaTransformObject(document)),
  });
  const limits = await createLimits(app);
  const workflows = workflowLinks(links.temporalUi, client.options.namespace);
  const engine = createWorkflowEngine(client);

  await app.register(named(webhookRoutes), { deps });
  await app.register(named(linkRoutes), { deps, limits });
  await app.register(named(onsiteRoutes), { deps, limits });
  const storage = createExamineStorage(deps);
  await app.register(named(healthRoutes), { storage, examine: createExamine(deps, client, storage) });
  await app.register(named(metricsRoute), { deps, registry });
  await app.register(named(openApiRoute));
  await app.register(named(docsRoutes));
  await app.register(named(sessionRoutes), { deps, limits });
  await app.register(named(dashboardRoutes));
  await app.register(named(sessionPages), { hasOidc: deps.identity.hasOidc, sendsPasswordLinks: deps.identity.sendsPasswordLinks });
  await app.register(named(startRoutes), { deps, links, workflows, live: livePage });
  if (payloadKeys !== null)
    await app.register(named(codecRoutes), {
      deps,
      keys: payloadKeys,
      installationDigest: installationKey === null ? null : hashApiKey(installationKey),
      uiOrigin: links.temporalUi === null ? null : new URL(links.temporalUi).origin,
      failed: limits.failedAuth,
    });
  const guards = {
    tenant: requireCaller(deps, limits.failedAuth),
    installation: requireInstallationKey(installationKey === null ? null : hashApiKey(installationKey), limits.failedAuth),
  } satisfies Record<Guard, unknown>;
  const [rates, keys, tags] = [limitRequests(deps), idempotency(deps), entityTags(app, deps)];
  // Set here and not by each route, so that no operation can lack them.
  const frame = (guarded: FastifyInstance, guard: Guard) => {
    guarded.addHook('onRequest', guards[guard]);
    if (guard === 'tenant') guarded.addHook('onRequest', rates);
    guarded.addHook('preHandler', keys.begin);
    guarded.addHook('preHandler', tags.begin);
    guarded.addHook('onSend', keys.keep);
    guarded.addHook('onSend', tags.finish);
    guarded.addHook('onRoute', describeIdempotency);
    guarded.addHook('onRoute', describeEntityTags);
  };
  const recovery = async (guarded: FastifyInstance) => {
    frame(guarded, 'tenant');
    guarded.addHook('onRoute', (route) => needsPermission(route, 'operate'));
    await guarded.register(named(recoveryRoutes), { deps });
    await guarded.register(named(recoveryConfigRoutes), { deps });
    await guarded.register(named(mcpRoute));
  };
  await app.register(named(recovery));
  for (const resource of resources) {
    const { tag, guard } = resource;
    const framed = async (guarded: FastifyInstance) => {
      frame(guarded, guard);
      guarded.addHook('onRoute', (route) => {
        route.schema = { ...route.schema, tags: [tag.name], security: securityOf(guard) };
        if (resource.guard === 'tenant') needsPermission(route, resource.changes);
      });
      await guarded.register(named(resource.routes), { deps, workflows, engine, heartbeatMs });
    };
    await app.register(named(framed, tag.name));
  }
  return app;
}

/** Many programs name JSON as the type of every request: a body of no bytes is none, whatever its type. */
function takeEmptyBodies(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) =>
    body === '' ? done(null, undefined) : parse(request, String(body), done),
  );
}

import { createHash } from 'node:crypto';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { createMcpEndpoint } from '../../../mcp/http.ts';
import { createClient } from '../../../sdk/index.ts';
import { invalidRequest, problems } from '../../plugins/errors.ts';

const message = z.looseObject({ jsonrpc: z.literal('2.0') });

/** What the protocol's own check says of a message. */
const faultOf = (body: unknown) =>
  z.object({ error: z.object({ message: z.string() }) }).safeParse(body).data?.error.message ?? 'This is no message of the protocol.';

/**
 * The tools for agents. They call this API like any other program, in the process and with the caller's own key: what the key may not do, the tools
 * cannot do either.
 */
export const mcpRoute: FastifyPluginAsyncZod = async (app) => {
  const answer = createMcpEndpoint();
  app.post(
    '/mcp',
    {
      // Each call that a tool makes is judged by itself.
      config: { permission: 'read', idempotency: 'none' },
      schema: {
        tags: ['mcp'],
        summary: 'Call a tool for agents',
        description:
          'A message of the Model Context Protocol (Streamable HTTP, without sessions). The tools explain, rehearse, backtest, preview and count; those that change something answer first with what would happen, and act when called again with the token of that answer. Addresses and numbers of people are masked.',
        security: [{ apiKey: [] }, { apiKeyHeader: [] }],
        body: z.union([message, z.array(message).min(1).max(20)]).meta({ description: 'JSON-RPC 2.0.' }),
        response: {
          200: z.unknown().meta({ description: 'The answer, as JSON-RPC 2.0.' }),
          202: z.null().meta({ description: 'A notification was taken.' }),
          ...problems(400, 401, 403, 429, 503),
        },
      },
    },
    async (request, reply) => {
      const key = String(request.headers['x-api-key'] ?? request.headers.authorization?.replace(/^Bearer /i, '') ?? '');
      const client = createClient({
        baseUrl: 'http://in-process',
        apiKey: key,
        fetch: async (url, init) => {
          const { pathname, search } = new URL(url);
          const { statusCode, headers, rawPayload } = await app.inject({
            method: (init.method ?? 'GET') as 'GET',
            url: `${pathname}${search}`,
            headers: Object.fromEntries(new Headers(init.headers)),
            remoteAddress: request.ip,
            ...(typeof init.body === 'string' ? { payload: init.body } : {}),
          });
          const given = Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]);
          return new Response(rawPayload.length === 0 ? null : new Uint8Array(rawPayload), { status: statusCode, headers: given });
        },
      });
      const version = request.headers['mcp-protocol-version'];
      const headers = {
        'content-type': 'application/json',
        // The protocol wants callers to take both; the answer is JSON in any case.
        accept: 'application/json, text/event-stream',
        ...(typeof version === 'string' ? { 'mcp-protocol-version': version } : {}),
      };
      const asked = new Request('http://in-process/mcp', { method: 'POST', headers });
      const owner = createHash('sha256').update(key).digest('hex');
      const answered = await answer(asked, request.body, client, owner);
      if (answered.status === 202) return reply.code(202).send(null);
      const body: unknown = await answered.json();
      if (answered.status !== 200) return invalidRequest(reply, [], faultOf(body));
      return reply.code(200).send(body);
    },
  );
};

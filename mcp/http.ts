import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import type { Client } from '../sdk/index.ts';
import { Confirmations } from './confirmations.ts';
import { createMcpServer } from './server.ts';

/** Answers one message of the Streamable HTTP transport. @param owner - a digest of the caller's key */
export type McpEndpoint = (request: Request, body: unknown, client: Client, owner: string) => Promise<Response>;

/**
 * The tools over Streamable HTTP, without sessions: each request stands for itself, so any process may answer it. Only tokens belong to the process
 * that gave them. Addresses are always masked.
 */
export function createMcpEndpoint(): McpEndpoint {
  const confirmations = new Confirmations();
  return async (request, body, client, owner) => {
    const server = createMcpServer({ client, personalData: false, confirmations, owner });
    const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true });
    await server.connect(transport);
    try {
      return await transport.handleRequest(request, { parsedBody: body });
    } finally {
      await server.close();
    }
  };
}

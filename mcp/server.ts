import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { z } from 'zod';
import { RekindleError } from '../sdk/index.ts';
import { NotConfirmedError } from './confirmations.ts';
import { mask } from './masking.ts';
import { readingTools } from './reading-tools.ts';
import type { Tool, ToolContext } from './tool.ts';
import { writingTools } from './writing-tools.ts';

export const tools: readonly Tool[] = [...readingTools, ...writingTools];

const instructions = `Rekindle brings back abandoned carts and silent leads. Times are UTC. A sentence of explain is the reason that was stored when it was decided.
Tools that change something answer the first call with what would happen and a token, and act only on the same call with that token: let a person see the first answer before the second call.`;

/** A server of the tools for one caller. */
export function createMcpServer(context: ToolContext): McpServer {
  const server = new McpServer({ name: 'rekindle', version: '1.0.0' }, { instructions });
  for (const tool of tools) {
    const { name, title, description, input, writes } = tool;
    const annotations = { readOnlyHint: !writes, destructiveHint: writes, openWorldHint: false };
    server.registerTool(name, { title, description, inputSchema: input, annotations }, async (given: unknown) => answerOf(tool, context, given));
  }
  return server;
}

async function answerOf(tool: Tool, context: ToolContext, given: unknown) {
  const content = (data: unknown) => [{ type: 'text' as const, text: JSON.stringify(context.personalData ? data : mask(data), null, 1) }];
  try {
    return { content: content(await tool.run(context, given)) };
  } catch (error) {
    return { isError: true, content: content(reasonOf(error)) };
  }
}

/** Why nothing was done, for the caller. */
function reasonOf(error: unknown) {
  if (error instanceof RekindleError) return { code: error.code, detail: error.detail, errors: error.errors };
  if (error instanceof z.ZodError) return { code: 'invalid_request', detail: z.prettifyError(error) };
  if (error instanceof NotConfirmedError) return { code: 'not_confirmed', detail: error.message };
  return { code: 'not_possible', detail: error instanceof Error ? error.message : String(error) };
}

import type { Api } from '../api.ts';

export const mcp = (api: Api) => ({
  /** Call a tool for agents, by a message of the Model Context Protocol. */
  send: api.withBody('POST /mcp'),
});

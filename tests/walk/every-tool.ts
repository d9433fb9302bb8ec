import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';

type Answer = Record<string, unknown>;

/** What tools are called about. All of it is in the store. */
export interface ToolWorld {
  email: string;
  contact: string;
  enrollment: string;
  /** An account at risk, in whose band a sequence takes people in. */
  account: string;
}

/**
 * Every tool of `POST /mcp`, once, by the protocol's own client. One that changes something is called twice: the second time with the token of the first.
 * @returns how many were tried, and which tools the server has beside them
 * @throws at the first tool that does not answer
 */
export async function walkEveryTool(apiUrl: string, apiKey: string, world: ToolWorld): Promise<{ tried: number; untried: string[] }> {
  const client = new Client({ name: 'walk', version: '1' });
  const requestInit = { headers: { authorization: `Bearer ${apiKey}` } };
  // Its types do not know `exactOptionalPropertyTypes`.
  await client.connect(new StreamableHTTPClientTransport(new URL('/mcp', apiUrl), { requestInit }) as unknown as Parameters<Client['connect']>[0]);
  try {
    const { tools } = await client.listTools();
    const tried = new Set<string>();
    const call = async (name: string, given: Answer): Promise<Answer> => {
      const { content, isError } = (await client.callTool({ name, arguments: given })) as CallToolResult;
      const [first] = content;
      const text = first?.type === 'text' ? first.text : '';
      if (isError === true) throw new Error(`${name} answered ${text}`);
      tried.add(name);
      return JSON.parse(text) as Answer;
    };
    for (const [name, given] of reading(world)) await call(name, given);
    const twice = async (name: string, given: Answer): Promise<Answer> => {
      const foreseen = await call(name, given);
      if (foreseen['done'] !== false) throw new Error(`${name} acted at its first call`);
      const done = await call(name, { ...given, token: foreseen['token'] });
      if (done['done'] !== true) throw new Error(`${name} did not act at its second call`);
      return done;
    };
    for (const [name, given] of writing(world)) await twice(name, given);
    // The store has too few people for a suggestion.
    const { content, isError } = (await client.callTool({
      name: 'dismiss_suggestion',
      arguments: { id: 'none', reason: 'Not wanted.' },
    })) as CallToolResult;
    if (isError !== true || !JSON.stringify(content).includes('not suggested'))
      throw new Error(`dismiss_suggestion answered ${JSON.stringify(content)}`);
    tried.add('dismiss_suggestion');
    const { target } = await twice('add_notification_target', { channel: 'email', address: 'mia@example.com', owner: 'Mia' });
    await twice('change_notification_target', { target, owner: 'Noah' });
    await twice('check_notification_target', { target });
    await twice('remove_notification_target', { target });
    return { tried: tried.size, untried: tools.map(({ name }) => name).filter((name) => !tried.has(name)) };
  } finally {
    await client.close();
  }
}

const reading = ({ email, contact, account }: ToolWorld): [string, Answer][] => [
  ['explain', { email, gates: true }],
  ['why_not_sent', { days: 7 }],
  ['rehearse', { contact, sequence: 'cart' }],
  ['backtest', { sequence: 'cart', days: 30 }],
  ['preview', { sequence: 'cart', step: 'email_2h', locale: 'de' }],
  ['analytics', { days: 30 }],
  ['attribution', {}],
  ['learning', {}],
  ['monitor_churn_risk', { account }],
  ['interventions', {}],
  ['contacts', { email }],
  ['quarantine', {}],
  ['parked', {}],
  ['list_notification_targets', {}],
  ['show_waves', {}],
  ['list_outage_drills', {}],
  ['list_alarms', {}],
  ['list_sequences', {}],
];

// Another one each time: what is in use cannot be published again.
const yaml = `sequence: thanks\nname: Thanks ${Date.now()}\non: manual\nabout: cart\nsteps:\n  - { id: mark, at: 1h, channel: none }\n`;

const writing = ({ enrollment, account }: ToolWorld): [string, Answer][] => [
  ['act_on_enrollments', { action: 'pause', filter: { sequence: 'cart' }, note: 'wrong prices' }],
  ['stop_enrollment', { enrollment_id: enrollment, reason: 'asked us to' }],
  ['pause_sequence', { sequence: 'cart', note: 'wrong prices' }],
  ['draft_sequence', { sequence: 'thanks', yaml }],
  ['publish_sequence', { sequence: 'thanks' }],
  ['trigger_intervention', { account }],
  ['escalate_to_manager', { subject: account, note: 'please call' }],
];

import { answerFields } from '../http/answer-fields.ts';
import { askJson, NoAnswerError } from '../http/ask.ts';
import type { HttpAnswer } from '../http/judge.ts';
import { openHttpSession } from '../http/open-session.ts';
import type { CrmPayload, Sender, SendOutcome } from '../port.ts';
import { readFields } from '../read/notes.ts';
import { accountOf, type GoHighLevelConfig, headersOf, isId, urlOf, workflowRate } from './config.ts';
import { type ContactIds, contactFor } from './contact-id.ts';
import { judgeRefusal, outage } from './judge.ts';
import type { Login } from './login.ts';
import type { SendDeps } from './send-deps.ts';

/** Ids of workflows by their names, as the location listed them. */
interface Listed {
  ids: ReadonlyMap<string, string>;
  untilMs: number;
}

const keptMs = 5 * 60_000;
const folded = (name: string): string => name.trim().toLowerCase();

/**
 * Workflows of a location. The contact is found or made, and put into the workflow by one request. Nothing can be asked about that afterwards, and a repeat
 * may begin the workflow anew: a call in doubt stays `unknown`.
 * Source: marketplace.gohighlevel.com/docs/ghl/contacts/add-contact-to-workflow
 */
export function createWorkflowSender(config: GoHighLevelConfig, ids: ContactIds, login: Login, deps: SendDeps): Sender<'crm'> {
  let listed: Listed | null = null;

  /** @returns null where the location has no such workflow that is published; two of the same name count as none */
  async function workflowId(token: string, workflow: string, timeoutMs: number): Promise<string | null> {
    if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(workflow)) return workflow;
    if (listed === null || listed.untilMs <= Date.now() || !listed.ids.has(folded(workflow))) {
      const url = urlOf(config, '/workflows/');
      url.search = new URLSearchParams({ locationId: config.locationId }).toString();
      listed = { ids: readWorkflows(await askJson(url, headersOf(token), timeoutMs)), untilMs: Date.now() + keptMs };
    }
    return listed.ids.get(folded(workflow)) ?? null;
  }

  return {
    channel: 'crm',
    account: accountOf(config.locationId),
    rates: { account: workflowRate, isShared: true },
    times: { deadlineMs: 2_500, leaseMs: 3_000, deadLeaseMs: 10_000 },
    reconciliation: { kind: 'none' },
    async open() {
      const token = await login.token();
      let path = '';
      const session = await openHttpSession<'crm'>({
        url: urlOf(config, '/contacts'),
        openTimeoutMs: deps.openTimeoutMs ?? 3_000,
        continueMs: deps.continueMs ?? 500,
        toMessage: () => ({ url: urlOf(config, path), headers: headersOf(token), body: Buffer.from('{}'), judge }),
      });
      return {
        async send(payload: CrmPayload, sendKey, deadline, begun) {
          const leftMs = () => deadline.remainingMs();
          try {
            const workflow = await workflowId(token, payload.workflow, leftMs());
            if (workflow === null)
              return { kind: 'refused', severity: 'soft', response: `the location has no one published workflow named ${payload.workflow}` };
            const who = payload.to.includes('@') ? { email: payload.to } : { phone: payload.to };
            const names = { firstName: payload.firstName, lastName: payload.lastName };
            const contact = await contactFor(config, token, ids, { ...who, ...names }, leftMs);
            if (contact.kind === 'refused') return await login.judged(token, contact.outcome);
            path = `/contacts/${contact.id}/workflow/${workflow}`;
          } catch (error) {
            if (error instanceof NoAnswerError) return await login.judged(token, outage(`looking for the workflow: ${error.message}`));
            throw error;
          }
          const outcome = await session.send(payload, sendKey, deadline, begun);
          if (outcome.kind === 'refused') ids.forget(payload.to);
          return login.judged(token, outcome);
        },
        close: () => session.close(),
      };
    },
  };
}

function readWorkflows(answer: unknown): ReadonlyMap<string, string> {
  const list = readFields(answer, '', [])?.['workflows'];
  if (!Array.isArray(list)) throw new NoAnswerError('the answer is no list of workflows');
  const ids = new Map<string, string>();
  const twice = new Set<string>();
  for (const one of list) {
    const fields = readFields(one, '', []);
    const [id, name, status] = [fields?.['id'], fields?.['name'], fields?.['status']];
    if (!isId(id) || typeof name !== 'string' || status !== 'published') continue;
    if (ids.has(folded(name))) twice.add(folded(name));
    ids.set(folded(name), id);
  }
  for (const name of twice) ids.delete(name);
  return ids;
}

function judge({ status, body, headers }: HttpAnswer): SendOutcome {
  const answer = answerFields(body);
  const response = `HTTP ${status}`;
  if (status < 200 || status >= 300) return judgeRefusal({ status, headers }, answer) ?? { kind: 'unknown', response };
  // Misspelt before the version v3.
  const succeeded = answer['succeeded'] ?? answer['succeded'];
  if (succeeded === true) return { kind: 'accepted', providerMessageId: null, response };
  return succeeded === false ? { kind: 'refused', severity: 'soft', response: `${response}, it did not succeed` } : { kind: 'unknown', response };
}

import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { postUntilTaken, type WebhookTarget } from '../webhook.ts';

/** An email that a campaign of Instantly's sends: the one step is what the lead's variables say. */
export interface CampaignEmail {
  to: string;
  subject: string;
  html: string;
  text: string;
  /** Where a person unsubscribes; null: the lead names none. */
  unsubscribeUrl: string | null;
}

interface CampaignLead {
  id: string;
  campaign: string;
  email: string;
  payload: Record<string, unknown>;
  apiKey: string;
}

const mostLeads = 5_000;

/** A stand-in for Instantly on one machine: leads of campaigns, whose emails are handed to `deliver`, and the events of both. */
export class InstantlyStandIn {
  readonly #accounts = new Map<string, WebhookTarget>();
  readonly #leads = new Map<string, CampaignLead>();
  readonly #reports = new Set<Promise<void>>();
  readonly #ended = new AbortController();
  readonly #deliver: (email: CampaignEmail) => Promise<void>;

  constructor(deliver: (email: CampaignEmail) => Promise<void>) {
    this.#deliver = deliver;
  }

  /** Where the events of a workspace go, and the token that they bring. */
  connect(apiKey: string, target: WebhookTarget): void {
    this.#accounts.set(apiKey, target);
  }

  knows(apiKey: string): boolean {
    return this.#accounts.has(apiKey);
  }

  /** The lead of a campaign with this address. A lead is in a campaign once: the one that is there stays as it is. */
  add(apiKey: string, { campaign, email, payload }: Pick<CampaignLead, 'campaign' | 'email' | 'payload'>): CampaignLead {
    const known = this.#leads.get(keyOf(apiKey, campaign, email));
    if (known !== undefined) return known;
    const lead: CampaignLead = { id: randomUUID(), campaign, email, payload, apiKey };
    this.#leads.set(keyOf(apiKey, campaign, email), lead);
    for (const oldest of [...this.#leads.keys()].slice(0, Math.max(0, this.#leads.size - mostLeads))) this.#leads.delete(oldest);
    this.#begin(this.#send(lead));
    return lead;
  }

  find(apiKey: string, campaign: string, emails: readonly string[]): CampaignLead[] {
    return emails.flatMap((email) => this.#leads.get(keyOf(apiKey, campaign, email)) ?? []);
  }

  /** What happens to the latest email of an address: `reply_received`, `email_bounced` … @returns false where it got none */
  happens(email: string, event: string, more: object = {}): boolean {
    const lead = [...this.#leads.values()].findLast((one) => one.email === email);
    if (lead === undefined) return false;
    this.#begin(this.#tell(lead, event, more));
    return true;
  }

  async stop(): Promise<void> {
    this.#ended.abort();
    await Promise.all(this.#reports);
  }

  #begin(work: Promise<void>): void {
    const report = work.catch(() => {}).finally(() => this.#reports.delete(report));
    this.#reports.add(report);
  }

  async #send(lead: CampaignLead): Promise<void> {
    const word = (name: string) => (typeof lead.payload[name] === 'string' ? lead.payload[name] : '');
    const unsubscribeUrl = word('rk_unsubscribe') || null;
    await this.#deliver({ to: lead.email, subject: word('rk_subject'), html: word('rk_body'), text: word('rk_text'), unsubscribeUrl });
    await this.#tell(lead, 'email_sent', {});
  }

  async #tell({ id, campaign, email, payload, apiKey }: CampaignLead, event: string, more: object): Promise<void> {
    const target = this.#accounts.get(apiKey);
    if (target === undefined) return;
    const variables = Object.fromEntries(Object.entries(payload).filter(([name]) => name === 'rk_account' || name === 'rk_attempt'));
    const body = JSON.stringify({
      ...{ timestamp: new Date().toISOString(), event_type: event, campaign_id: campaign, campaign_name: 'Rekindle', lead_email: email },
      ...{ email_id: `em_${id}`, step: 1, variant: 1, ...variables, ...more },
    });
    await postUntilTaken(
      { url: target.url, headers: { 'content-type': 'application/json', 'x-rekindle-token': target.secret }, body },
      this.#ended.signal,
    );
  }
}

const keyOf = (apiKey: string, campaign: string, email: string): string => JSON.stringify([apiKey, campaign, email]);

/** Instantly's routes below `/instantly`, and what happens to an email: `/campaign-emails`. */
export function instantlyRoutes(app: FastifyInstance, instantly: InstantlyStandIn): void {
  const accountOf = (authorization: string | undefined): string | null => {
    const key = /^Bearer (.+)$/.exec(authorization ?? '')?.[1];
    return key !== undefined && instantly.knows(key) ? key : null;
  };
  const refused = { statusCode: 401, error: 'Unauthorized', message: 'Invalid API key' };
  const shown = ({ id, campaign, email, payload }: CampaignLead) => ({ id, campaign, email, payload });

  app.post<{ Body: Record<string, unknown> | null }>('/instantly/api/v2/leads', (request, reply) => {
    const key = accountOf(request.headers.authorization);
    if (key === null) return reply.code(401).send(refused);
    const { campaign, email, custom_variables: variables } = request.body ?? {};
    if (typeof campaign !== 'string' || typeof email !== 'string' || !email.includes('@'))
      return reply.code(400).send({ statusCode: 400, error: 'Bad Request', message: 'body/email must match format "email"' });
    const payload = typeof variables === 'object' && variables !== null ? { ...variables } : {};
    return reply.send(shown(instantly.add(key, { campaign, email, payload })));
  });
  app.post<{ Body: Record<string, unknown> | null }>('/instantly/api/v2/leads/list', (request, reply) => {
    const key = accountOf(request.headers.authorization);
    if (key === null) return reply.code(401).send(refused);
    const { campaign, contacts } = request.body ?? {};
    const emails = Array.isArray(contacts) ? contacts.filter((one): one is string => typeof one === 'string') : [];
    return reply.send({ items: instantly.find(key, String(campaign), emails).map(shown) });
  });

  app.post<{ Body: Record<string, unknown> | null }>('/campaign-emails', (request, reply) => {
    const { email, event = 'reply_received', text } = request.body ?? {};
    if (typeof email !== 'string' || typeof event !== 'string')
      return reply
        .code(400)
        .send({ error: 'Name `email`, and as `event` what happens: reply_received (with `text`), email_bounced, lead_unsubscribed.' });
    const more = typeof text === 'string' ? { reply_subject: 'Re:', reply_text: text } : {};
    return instantly.happens(email, event, more)
      ? reply.code(202).send({ email, event })
      : reply.code(404).send({ error: 'Instantly has sent this address nothing.' });
  });
}

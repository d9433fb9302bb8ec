import { createHmac } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { createGraph, type GraphAnswer, type GraphStandIn } from '../meta/graph.ts';
import { postUntilTaken, type WebhookTarget } from '../webhook.ts';

/** What every page access token is on this machine. */
export const localPageToken = 'page-token-of-this-machine';

/** The forms of lead ads on one machine: what somebody fills in lies at the Graph API's stand-in, and its id is notified as Meta does. */
export class LeadAds {
  readonly graph: GraphStandIn = createGraph({ appSecret: null, token: localPageToken, inventsLeads: true });
  readonly #pages = new Map<string, WebhookTarget>();
  readonly #ended = new AbortController();
  #count = 0;

  /** Where the leads of a store's page are notified, and the app secret that signs this. */
  connect(store: string, target: WebhookTarget): void {
    this.#pages.set(store, target);
  }

  stores(): string[] {
    return [...this.#pages.keys()];
  }

  /**
   * Somebody fills in the form of a store's ad.
   * @param answers - by the name of the question: `full_name`, `email`, `phone_number`, `click_id` …
   * @returns the id of the lead, once its notification was taken
   * @throws Error where the webhook does not take it
   */
  async fillIn(store: string, answers: Readonly<Record<string, string>>): Promise<string> {
    const target = this.#pages.get(store);
    if (target === undefined) throw new Error(`no page of ${store}`);
    // Beyond 2^53, as Meta's ids are.
    const id = `9${Date.now()}${String((this.#count += 1) % 10_000).padStart(4, '0')}`;
    const list: GraphAnswer[] = Object.entries(answers).map(([name, value]) => ({ name, values: [value] }));
    this.graph.put(id, { answers: list });
    const value = `{"leadgen_id":"${id}","page_id":"100000000000001","form_id":"200000000000001","created_time":${Math.floor(Date.now() / 1_000)}}`;
    const body = `{"object":"page","entry":[{"id":"100000000000001","time":${Math.floor(Date.now() / 1_000)},"changes":[{"field":"leadgen","value":${value}}]}]}`;
    const signature = `sha256=${createHmac('sha256', target.secret).update(body).digest('hex')}`;
    await postUntilTaken(
      { url: target.url, headers: { 'content-type': 'application/json', 'x-hub-signature-256': signature }, body },
      this.#ended.signal,
    );
    return id;
  }

  stop(): void {
    this.#ended.abort();
  }
}

/** The Graph API below `/graph`, and the form of a lead ad: `/lead-ads`. */
export function leadAdRoutes(app: FastifyInstance, ads: LeadAds): void {
  app.get('/graph/*', (request, reply) => {
    reply.hijack();
    request.raw.url = (request.raw.url ?? '/').replace(/^\/graph/, '');
    ads.graph.handle(request.raw, reply.raw);
  });
  app.post<{ Body: Record<string, unknown> | null }>('/lead-ads', async (request, reply) => {
    const { store = ads.stores()[0], ...answers } = request.body ?? {};
    const given = Object.entries(answers).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
    if (typeof store !== 'string' || !ads.stores().includes(store)) return reply.code(404).send({ error: `Stores: ${ads.stores().join(', ')}` });
    if (given.length === 0 || given.length < Object.keys(answers).length)
      return reply
        .code(400)
        .send({ error: 'Answer the questions of the form by texts: {"full_name":"…","email":"…","phone_number":"…","click_id":"…"}' });
    try {
      return await reply.code(201).send({ leadgen_id: await ads.fillIn(store, Object.fromEntries(given)) });
    } catch (error) {
      return reply.code(502).send({ error: `The webhook did not take it: ${error instanceof Error ? error.message : String(error)}` });
    }
  });
}

import { createHash, createPrivateKey, createPublicKey, type KeyObject, randomUUID, sign } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { postUntilTaken } from '../webhook.ts';

/** A contact of the CRM. */
export interface CrmContact {
  id: string;
  locationId: string;
  email: string | null;
  phone: string | null;
  firstName: string | null;
  lastName: string | null;
  dnd: boolean;
  dndSettings: Record<string, unknown>;
  /** Workflows that it was put into, the oldest first. */
  workflows: string[];
}

/** A message of a conversation. */
export interface CrmMessage {
  id: string;
  contactId: string;
  direction: 'inbound' | 'outbound';
  /** As HighLevel writes it when a message is sent: `SMS`, `Email`, `WhatsApp`. */
  type: string;
  body: string;
  subject: string | null;
  atMs: number;
}

interface Location {
  token: string;
  webhookUrl: string;
  contacts: Map<string, CrmContact>;
  messages: CrmMessage[];
}

/** The id of the one workflow of every location. */
const workflow = { id: '78559bb3-b920-461e-b010-7b2a2816d2a9', name: 'Nudge a silent lead', status: 'published' };
const mostContacts = 5_000;
const mostMessages = 10_000;
const typeNames: Readonly<Record<string, string>> = { SMS: 'TYPE_SMS', Email: 'TYPE_EMAIL', WhatsApp: 'TYPE_WHATSAPP' };

/** An Ed25519 key that follows from a secret, so that it is the same after a restart. @param seed - of the installation, and nobody else's */
function keyFrom(seed: string): KeyObject {
  // RFC 8410: the prefix of an Ed25519 key in PKCS 8, then its 32 bytes.
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), createHash('sha256').update(`crm ${seed}`).digest()]);
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
}

/**
 * A stand-in for GoHighLevel on one machine: contacts, conversations, workflows and signed webhooks of any number of locations, in memory. What is sent
 * arrives at once, and people answer by `says`.
 */
export class CrmStandIn {
  readonly #key: KeyObject;
  readonly #locations = new Map<string, Location>();
  readonly #reports = new Set<Promise<void>>();
  readonly #ended = new AbortController();

  constructor(seed: string) {
    this.#key = keyFrom(seed);
  }

  /** For `webhookPublicKey`. */
  get publicKey(): string {
    return createPublicKey(this.#key).export({ format: 'der', type: 'spki' }).toString('base64');
  }

  /** A location, the token that opens it, and where its webhooks go. */
  connect(locationId: string, token: string, webhookUrl: string): void {
    const known = this.#locations.get(locationId);
    this.#locations.set(locationId, { contacts: new Map(), messages: [], ...known, token, webhookUrl });
  }

  location(id: string): Location | null {
    return this.#locations.get(id) ?? null;
  }

  locationIds(): string[] {
    return [...this.#locations.keys()];
  }

  /** Which location a token opens. */
  locationOf(token: string | null): { id: string; location: Location } | null {
    for (const [id, location] of this.#locations) if (location.token === token) return { id, location };
    return null;
  }

  /** The contact of an address, which is made where there is none: its id follows from the address. */
  upsert(
    locationId: string,
    who: { email?: string | undefined; phone?: string | undefined; firstName?: string | undefined; lastName?: string | undefined },
  ): {
    contact: CrmContact;
    isNew: boolean;
  } {
    const location = this.#of(locationId);
    const known = findContact(location, who);
    if (known !== null) {
      known.email ??= who.email ?? null;
      known.phone ??= who.phone ?? null;
      return { contact: known, isNew: false };
    }
    const id = `con${createHash('sha256')
      .update(`${locationId} ${who.email ?? who.phone ?? ''}`)
      .digest('hex')
      .slice(0, 20)}`;
    const { email = null, phone = null, firstName = null, lastName = null } = who;
    const contact: CrmContact = { id, locationId, email, phone, firstName, lastName, dnd: false, dndSettings: {}, workflows: [] };
    location.contacts.set(id, contact);
    for (const oldest of [...location.contacts.keys()].slice(0, Math.max(0, location.contacts.size - mostContacts))) location.contacts.delete(oldest);
    return { contact, isNew: true };
  }

  /** A message of the store to a contact. It is reported as delivered. */
  send(locationId: string, message: Pick<CrmMessage, 'contactId' | 'type' | 'body' | 'subject'>): CrmMessage {
    const sent = this.#keep(locationId, { ...message, direction: 'outbound' });
    this.#tell(locationId, 'OutboundMessage', { ...this.#written(locationId, sent), direction: 'outbound', status: 'delivered', source: 'api' });
    return sent;
  }

  /** What a contact writes. */
  says(locationId: string, contact: CrmContact, type: string, body: string): CrmMessage {
    const said = this.#keep(locationId, { contactId: contact.id, type, body, subject: null, direction: 'inbound' });
    const from = type === 'Email' ? contact.email : contact.phone;
    this.#tell(locationId, 'InboundMessage', { ...this.#written(locationId, said), direction: 'inbound', status: 'delivered', from });
    return said;
  }

  /** A colleague in the CRM writes to a contact. */
  colleagueSays(locationId: string, contact: CrmContact, type: string, body: string): CrmMessage {
    const said = this.#keep(locationId, { contactId: contact.id, type, body, subject: null, direction: 'outbound' });
    this.#tell(locationId, 'OutboundMessage', {
      ...this.#written(locationId, said),
      ...{ direction: 'outbound', status: 'delivered', source: 'app', userId: 'usr_colleague' },
    });
    return said;
  }

  /** Report a contact as it stands, as HighLevel does when one is made. */
  tellContact(type: 'ContactCreate' | 'ContactUpdate' | 'ContactDndUpdate', contact: CrmContact, more: object = {}): void {
    const { workflows: _, ...told } = contact;
    this.#tell(contact.locationId, type, { ...told, dateAdded: new Date().toISOString(), ...more });
  }

  /** An appointment with a contact in a calendar of the location, or the end of it. Its id follows from the contact: they have one. */
  books(locationId: string, { id: contactId }: CrmContact, isOff: boolean): { id: string; appointmentStatus: string } {
    const now = new Date().toISOString();
    const appointment = { id: `apt${contactId.slice(3)}`, contactId, appointmentStatus: isOff ? 'cancelled' : 'confirmed', title: 'Viewing' };
    const told = { ...appointment, calendarId: 'cal_viewings', startTime: new Date(Date.now() + 2 * 86_400_000).toISOString(), dateUpdated: now };
    this.#tell(locationId, isOff ? 'AppointmentUpdate' : 'AppointmentCreate', { appointment: { ...told, dateAdded: now } });
    return appointment;
  }

  async stop(): Promise<void> {
    this.#ended.abort();
    await Promise.all(this.#reports);
  }

  #of(locationId: string): Location {
    const location = this.#locations.get(locationId);
    if (location === undefined) throw new Error(`no location ${locationId}`);
    return location;
  }

  #keep(locationId: string, message: Omit<CrmMessage, 'id' | 'atMs'>): CrmMessage {
    const { messages } = this.#of(locationId);
    const kept = { ...message, id: `msg${randomUUID().replaceAll('-', '')}`, atMs: Date.now() };
    messages.push(kept);
    if (messages.length > mostMessages) messages.shift();
    return kept;
  }

  #written(locationId: string, { id, contactId, type, body, subject, atMs }: CrmMessage): object {
    const contact = this.#of(locationId).contacts.get(contactId);
    const to = type === 'Email' ? contact?.email : contact?.phone;
    const dateAdded = new Date(atMs).toISOString();
    return { contactId, messageId: id, messageType: type, body, dateAdded, ...(to == null ? {} : { to }), ...(subject === null ? {} : { subject }) };
  }

  /** As HighLevel signs the webhooks of an app. */
  #tell(locationId: string, type: string, fields: object): void {
    const { webhookUrl } = this.#of(locationId);
    const body = JSON.stringify({ type, webhookId: randomUUID(), timestamp: new Date().toISOString(), locationId, ...fields });
    const headers = { 'content-type': 'application/json', 'x-ghl-signature': sign(null, Buffer.from(body), this.#key).toString('base64') };
    const report = postUntilTaken({ url: webhookUrl, headers, body }, this.#ended.signal)
      .catch(() => {})
      .finally(() => this.#reports.delete(report));
    this.#reports.add(report);
  }
}

function findContact({ contacts }: Location, { email, phone }: { email?: string | undefined; phone?: string | undefined }): CrmContact | null {
  const isIt = (contact: CrmContact) => (email !== undefined && contact.email === email) || (phone !== undefined && contact.phone === phone);
  return [...contacts.values()].find(isIt) ?? null;
}

const text = (value: unknown): string | undefined => (typeof value === 'string' && value.trim() !== '' ? value : undefined);
type Fields = Record<string, unknown>;

/** HighLevel's routes below `/ghl`, and those by which a person answers: `/crm`. */
export function crmRoutes(app: FastifyInstance, crm: CrmStandIn): void {
  void app.register(
    async (api) => {
      api.addHook('onRequest', async (request, reply) => {
        if (openedBy(request.headers.authorization) === null) return reply.code(401).send({ statusCode: 401, message: 'Invalid JWT' });
        if (request.headers['version'] === undefined) return reply.code(400).send({ statusCode: 400, message: 'version header was not found.' });
      });
      highLevel(api);
    },
    { prefix: '/ghl' },
  );
  const openedBy = (authorization: string | undefined) => crm.locationOf(/^Bearer (.+)$/.exec(authorization ?? '')?.[1] ?? null);
  const missing = { statusCode: 404, message: 'Not found' };

  function highLevel(api: FastifyInstance): void {
    const open = (authorization: string | undefined) => {
      const found = openedBy(authorization);
      if (found === null) throw new Error('the hook lets nobody in without a token');
      return found;
    };
    api.post<{ Body: Fields }>('/contacts/upsert', (request) => {
      const { id } = open(request.headers.authorization);
      const { email, phone, firstName, lastName } = request.body;
      const who = { email: text(email), phone: text(phone), firstName: text(firstName), lastName: text(lastName) };
      const { contact, isNew } = crm.upsert(id, who);
      return { new: isNew, contact };
    });
    api.get<{ Querystring: Record<string, string> }>('/contacts/search/duplicate', (request) => {
      const { location } = open(request.headers.authorization);
      return { contact: findContact(location, { email: request.query['email'], phone: request.query['number'] }) };
    });
    api.put<{ Params: { id: string }; Body: Fields }>('/contacts/:id', (request, reply) => {
      const contact = open(request.headers.authorization).location.contacts.get(request.params.id);
      if (contact === undefined) return reply.code(404).send(missing);
      const { dnd, dndSettings } = request.body;
      if (typeof dnd === 'boolean') contact.dnd = dnd;
      if (typeof dndSettings === 'object' && dndSettings !== null) contact.dndSettings = { ...contact.dndSettings, ...dndSettings };
      return reply.send({ succeeded: true, contact });
    });
    api.post<{ Params: { id: string; workflow: string } }>('/contacts/:id/workflow/:workflow', (request, reply) => {
      const contact = open(request.headers.authorization).location.contacts.get(request.params.id);
      if (contact === undefined || request.params.workflow !== workflow.id) return reply.code(404).send(missing);
      contact.workflows.push(workflow.name);
      return reply.send({ succeeded: true });
    });
    api.get('/workflows/', (request) => ({ workflows: [{ ...workflow, locationId: open(request.headers.authorization).id }] }));
    api.post<{ Body: Fields }>('/conversations/messages', (request, reply) => {
      const { id, location } = open(request.headers.authorization);
      const { type, contactId, message, html, subject } = request.body;
      const contact = location.contacts.get(String(contactId));
      const body = text(type === 'Email' ? html : message);
      if (contact === undefined || typeof type !== 'string' || typeNames[type] === undefined || body === undefined)
        return reply.code(400).send({ statusCode: 400, message: 'The contact is unknown, or there is nothing to send.' });
      if (contact.dnd) return reply.code(400).send({ statusCode: 400, message: `Cannot send message as DND is active for ${type}.` });
      const sent = crm.send(id, { contactId: contact.id, type, body, subject: text(subject) ?? null });
      return reply.send({ conversationId: `cnv_${contact.id}`, messageId: sent.id, msg: 'Message queued successfully.' });
    });
    api.get<{ Querystring: Record<string, string> }>('/conversations/search', (request) => {
      const { id, location } = open(request.headers.authorization);
      const contacts = [...location.contacts.values()].filter((one) => one.id === (request.query['contactId'] ?? one.id));
      const conversations = contacts.map(({ id: contactId }) => ({ id: `cnv_${contactId}`, contactId, locationId: id }));
      return { conversations: conversations.slice(0, Number(request.query['limit'] ?? 20)), total: conversations.length };
    });
    api.get<{ Params: { id: string }; Querystring: Record<string, string> }>('/conversations/:id/messages', (request) => {
      const { location } = open(request.headers.authorization);
      const types = request.query['type']?.split(',');
      const listed = location.messages
        .filter(({ contactId, type }) => `cnv_${contactId}` === request.params.id && types?.includes(typeNames[type] ?? type) !== false)
        .toReversed()
        // An email is listed without its words.
        .map((one) => ({ ...resourceOf(one), ...(one.type === 'Email' ? { body: undefined } : {}) }));
      return { messages: { messages: listed, nextPage: false, lastMessageId: listed.at(-1)?.id ?? null } };
    });
    api.get<{ Params: { id: string } }>('/conversations/messages/:id', (request, reply) => {
      const found = open(request.headers.authorization).location.messages.find(({ id }) => id === request.params.id);
      return found === undefined ? reply.code(404).send(missing) : reply.send(resourceOf(found));
    });
  }

  app.get('/crm', () => ({
    locations: crm.locationIds().map((id) => {
      const location = crm.location(id);
      return { id, contacts: [...(location?.contacts.values() ?? [])], messages: location?.messages.toReversed() ?? [] };
    }),
  }));
  app.post<{ Body: Fields | null }>('/crm/books', (request, reply) => {
    const { location = crm.locationIds()[0], email, phone, cancelled = false } = request.body ?? {};
    if (typeof location !== 'string' || crm.location(location) === null)
      return reply.code(404).send({ error: `Locations: ${crm.locationIds().join(', ')}` });
    const who = { email: text(email), phone: text(phone) };
    if (who.email === undefined && who.phone === undefined)
      return reply.code(400).send({ error: 'Name `phone` or `email`; `cancelled`: true calls the viewing off.' });
    const { contact, isNew } = crm.upsert(location, who);
    if (isNew) crm.tellContact('ContactCreate', contact, { source: 'by hand' });
    return reply.code(201).send(crm.books(location, contact, cancelled === true));
  });
  app.post<{ Body: Fields | null }>('/crm/says', (request, reply) => {
    const { location = crm.locationIds()[0], email, phone, type = 'SMS', text: words, colleague = false } = request.body ?? {};
    if (typeof location !== 'string' || crm.location(location) === null)
      return reply.code(404).send({ error: `Locations: ${crm.locationIds().join(', ')}` });
    const [who, body] = [{ email: text(email), phone: text(phone) }, text(words)];
    if (body === undefined || (who.email === undefined && who.phone === undefined) || typeof type !== 'string' || typeNames[type] === undefined)
      return reply
        .code(400)
        .send({ error: 'Name `phone` or `email`, and `text`; `type` is SMS, Email or WhatsApp; `colleague`: true for an answer of the store.' });
    const { contact, isNew } = crm.upsert(location, who);
    if (isNew) crm.tellContact('ContactCreate', contact, { source: 'by hand' });
    const said = colleague === true ? crm.colleagueSays(location, contact, type, body) : crm.says(location, contact, type, body);
    return reply.code(201).send(said);
  });
}

const resourceOf = ({ id, contactId, direction, type, body, subject, atMs }: CrmMessage) => ({
  ...{ id, contactId, direction, messageType: typeNames[type] ?? type, body, subject },
  dateAdded: new Date(atMs).toISOString(),
  status: 'delivered',
});

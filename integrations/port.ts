import type { z } from 'zod';
import type { Channel, ChatButton, OnsitePayload, PayloadOf } from '../domain/channels/index.ts';
import type { Recommendations } from '../domain/chat/property.ts';
import type { DomainEvent } from '../domain/events.ts';
import type { FieldNote } from '../domain/field-note.ts';
import type { Rate } from '../domain/rate.ts';

/** One HTTP delivery as it came in. `raw` is the exact body: signatures are never checked over a body that was parsed and written again. */
export interface Delivery {
  method: 'POST' | 'GET';
  /** Absolute, with the query, as the provider requested it: under our public URL, whatever host a proxy passed on. */
  url: string;
  raw: Buffer;
  /** Lower-case names. */
  headers: Record<string, string | string[] | undefined>;
  /** Wall clock of the API, epoch milliseconds; signatures' ages count against it, never against scaled time. */
  receivedAtMs: number;
  /** The signer's certificate in PEM, as `Receiver.fetchCertificate` brought it; absent: there is none. */
  certificate?: string;
}

/** Up to two live secrets, so that a secret can be rotated without losing a delivery. */
export type Secrets = readonly [string] | readonly [string, string];

/** What a receiver knows about the store whose delivery it reads. */
export interface StoreContext {
  /** IANA; times without an offset are this zone's. */
  timeZone: string;
  /** ISO 3166-1 alpha-2, for phone numbers without a country code where the event names no country. */
  country: string;
  /** Relative addresses of pages and pictures are resolved against it; null: not known. */
  url: string | null;
  /** ISO 4217, for amounts whose currency the event does not say; null: not known. */
  currency: string | null;
  /** The store's own email addresses, normalised: they name no person. */
  addresses: readonly string[];
  /** Below which the links in texts begin, where they have an address of their own; absent or null: below the public URL. */
  linkUrl?: string | null;
  /** The connection's configuration, as stored and unsealed, for a receiver that reads it; absent: there is none. */
  config?: unknown;
  /** For a receiver that reads it: which turns of a chat its bot answers. Absent: it has not started yet. */
  chat?: ChatWindow;
}

/** What was said while a bot was down counts, and is not answered. */
export interface ChatWindow {
  /** Epoch milliseconds: what was said before is not answered. */
  answersFromMs: number;
  /** It lay there when the bot started. */
  isBacklog: boolean;
}

/** Why a delivery is refused: for the counter and the log, so no secret and nothing of the body. */
export type Refusal = 'missing_signature' | 'bad_signature' | 'stale' | 'not_json';

/** The body of a 2xx answer, for providers that read it (Twilio sends it to the person as a text). */
export interface Reply {
  contentType: string;
  body: string;
}

/** Something that a delivery names and the provider has to be asked about, before anybody knows what happened. */
export interface Lookup {
  /** Of a connection, each is looked up once, however often it is named. */
  key: string;
  topic: string;
  /** What its receiver needs to ask: ids, no personal data. */
  what: Readonly<Record<string, string>>;
}

/** What a verified delivery says. */
export type Normalised =
  /**
   * At least one event or one look-up; each event says whom or what it is about. `notes`: fields that were left out or guessed; stored with the
   * delivery. `lookups`: what its receiver's `resolve` is asked once the delivery is answered.
   */
  | { kind: 'events'; topic: string; events: DomainEvent[]; notes: FieldNote[]; lookups?: Lookup[]; reply?: Reply }
  /** Authentic, but nothing we act on; recorded with its topic, answered 200. */
  | { kind: 'ignored'; topic: string; reply?: Reply }
  /** Authentic and meant for us, but it names nobody and nothing: kept in the quarantine with the reason, answered as `answersUnreadable` says. */
  | {
      kind: 'unreadable';
      topic: string;
      reason: string;
      fields: FieldNote[];
      /** It may have been a purchase, a reply or an opt-out, so a person must look at it soon. */
      mayBeStop: boolean;
      reply?: Reply;
    };

/** What came of a look-up: what the provider knows, read as a delivery is, or nothing yet. */
export type Resolved =
  | Exclude<Normalised, { lookups: Lookup[] }>
  /** No clear answer: asked again, with growing pauses. `afterMs`: when at the earliest, as the provider says. */
  | { kind: 'later'; reason: string; afterMs?: number }
  /** The provider does not let us in: asked again once the connection has another configuration, and once in a while. */
  | { kind: 'locked_out'; reason: string };

/** What a look-up may use. */
export interface ResolveContext {
  /** Of the connection, as stored and unsealed. */
  config: unknown;
  store: StoreContext;
  nowMs: number;
  /** The tokens of a connection that was let in by OAuth. */
  tokens?: AccessTokens;
  /** Aborted when the process ends: the look-up is then made by another. */
  signal?: AbortSignal;
}

/** The result of reading a delivery. */
export type Received =
  | { kind: 'refused'; reason: Refusal }
  /** A ping or a challenge: answered with this, and nothing is stored. Such a delivery may be unsigned, so it must have no effect. */
  | { kind: 'answer'; status: number; body?: Reply }
  /** `dedupeKey`: by which a repeat of the delivery is recognised; null: it carries no id and is recognised by its bytes. */
  | (Normalised & { dedupeKey: string | null });

/** The inbound half of an integration. `verified-receiver.ts` makes one from the usual three steps. */
export interface Receiver {
  /** The topics that it acts on: a fixed list, for metrics. */
  topics: readonly string[];
  /** How the provider delivers; absent: by POST only. */
  methods?: readonly Delivery['method'][];
  /** Headers that it reads beside the signature. They are kept with an unreadable delivery, so that it can be read again; never a signature. */
  readsHeaders: readonly string[];
  /** Likewise for parameters of the URL's query; absent: none. Never a token or a signature. */
  readsQuery?: readonly string[] | { allBut: readonly string[] };
  /** It cannot read a delivery without the connection's configuration (`StoreContext.config`). */
  readsConfig?: true;
  /** It reads turns of a chat (`StoreContext.chat`). */
  readsChat?: true;
  /** The header that names the topic; null: the body does. */
  topicHeader: string | null;
  /**
   * How an unreadable delivery is answered. `refuse`: 422 with the fields, for senders who can correct them. `accept`: 200, for providers that would
   * repeat it in vain and then disable the webhook.
   */
  answersUnreadable: 'refuse' | 'accept';
  /**
   * Fetch the certificate with which `receive` checks the signature, where the delivery itself names it. It fetches from the provider alone.
   * @returns null where there is none to fetch: `receive` refuses the delivery
   * @throws where the provider does not give it now: the sender is asked to repeat the delivery
   */
  fetchCertificate?(delivery: Delivery, secrets: Secrets): Promise<string | null>;
  /**
   * Check authenticity over the raw bytes, in constant time, against every live secret; then read the delivery. Never throws for bad shapes.
   * A bad field never makes an event unreadable unless it says whom or what the event is about: it is understood, or left out and noted.
   */
  receive(delivery: Delivery, secrets: Secrets, store: StoreContext): Received;
  /**
   * For providers that report about all accounts of a store to one address: which other account an authentic delivery is about, as the `accountOf` of its
   * integration names it. It is then taken in by that account's connection, which checks it again.
   * @returns null: it is about this connection's own, or is not authentic
   */
  aboutAccount?(delivery: Delivery, secrets: Secrets, store: StoreContext): string | null;
  /** Read a delivery that was verified when it came: kept in the quarantine with the headers and the query that it reads, without signature. */
  reread(delivery: Delivery, store: StoreContext): Normalised;
  /**
   * Ask the provider what a delivery left open. It has no effect there, so it may be asked again. Called outside of any transaction.
   * @throws whatever it likes: that is no answer, and it is asked again
   */
  resolve?(lookup: Lookup, context: ResolveContext): Promise<Resolved>;
}

export type {
  CallPayload,
  Channel,
  ChatButton,
  CrmPayload,
  EmailPayload,
  OnsitePayload,
  PushPayload,
  SmsPayload,
  TelegramPayload,
  WhatsappPayload,
} from '../domain/channels/index.ts';
/** A message as it is handed to a provider; its shape lives in domain/, because the ledger stores it. */
export type Payload<C extends Channel = Channel> = PayloadOf<C>;

/** The time that a call has left: both clocks count, the larger elapsed wins; absolute from the moment before the claim. */
export interface Deadline {
  /** Milliseconds left; may be negative. Synchronous: checked right before the last byte that can cause acceptance. */
  remainingMs(): number;
}

/** The outcome of a call. The adapter judges by what it has written, never by a library's error code alone. */
export type SendOutcome =
  | { kind: 'accepted'; providerMessageId: string | null; response: string }
  /** Certainly not accepted. `hard`: this address will never work; `soft`: later it may (429, 4xx, refused connection). */
  | {
      kind: 'refused';
      severity: 'hard' | 'soft';
      /** The provider was unreachable or going down: it said nothing about this message, so it is not counted against `maxRetries`. */
      outage?: boolean;
      /** It does not let us in (401, a token without the right): the connection shows it until a message is accepted again. */
      loginRefused?: true;
      /** Nothing leaves through this connection until then, as the provider asks. */
      retryAfterMs?: number;
      response: string;
    }
  /** The provider may have accepted it. */
  | { kind: 'unknown'; response: string };

/** An open session to the provider (SMTP: connected, greeted, authenticated). Opened before the claim, used once, then closed. */
export interface SenderSession<C extends Channel = Channel> {
  /**
   * Hand over the message; must produce its last accepting byte only while `deadline.remainingMs() > 0`, and destroys the socket when it ends.
   * A replay gets the payload as the ledger keeps it, its fields in any order: a provider that compares bodies must get the same bytes.
   * @param begun - call it when the first bytes have been given to the socket: the process then claims its next message. Without it, it does so a
   *   quarter of a second later, or when there is an outcome.
   */
  send(payload: Payload<C>, sendKey: string, deadline: Deadline, begun?: () => void): Promise<SendOutcome>;
  close(): void;
}

/** Times of one provider, all wall-clock milliseconds (`deadline < lease < dead lease`: docs/fence.md#times-in-order). */
export interface SenderTimes {
  deadlineMs: number;
  leaseMs: number;
  deadLeaseMs: number;
}

/** How a call in doubt can be resolved. */
export type Reconciliation<C extends Channel = Channel> =
  | { kind: 'none' }
  /** The provider suppresses repeats of one key for `keyLifeMs`. */
  | { kind: 'keys'; keyLifeMs: number }
  /**
   * The provider can be asked, from `settleAfterMs` after the claim on. An unclear answer (5xx, time-out …) is thrown, never returned as
   * `not_accepted`.
   */
  | { kind: 'find'; settleAfterMs: number; find(sendKey: string, payload: Payload<C>): Promise<'accepted' | 'not_accepted'> };

/** The outbound half of an integration, configured for one connection. */
export interface Sender<C extends Channel = Channel> {
  /** The channel of its payloads: a session gets no others. */
  channel: C;
  /** Names the account at the provider, the same in every process; no secret in it. A call in doubt is resolved with this account only. */
  account: string;
  times: SenderTimes;
  reconciliation: Reconciliation<C>;
  /**
   * How many messages the provider takes, of the account and for one address, where the store says nothing else; absent: it sets no such limit.
   * `isShared`: all connections and channels of the account have it together, and the store can only go below it. `answers`: what the provider takes
   * beyond the account's rate is left for answers in chats; without it, or with a rate of the store's own, each answer takes the place of a message.
   * `window`: what the provider counts itself, and refuses beyond it. Messages that leave late, and then close together, keep to it as well; the last
   * `forAnswers` of it are left for answers. It does not apply with a rate of the store's own.
   */
  rates?: { account: Rate; address?: Rate; answers?: Rate; window?: Rate & { forAnswers: number }; isShared?: true };
  /**
   * Thrown errors mean: certainly nothing was sent (the step is tried again by back-off). One with the property `loginRefused: true` also says that
   * the provider does not let us in.
   */
  open(): Promise<SenderSession<C>>;
}

/** Where pop-ups wait for a page view: our own database, of which an integration sees this much. */
export interface PopupStore {
  /**
   * Put a pop-up down under its key, in one transaction.
   * @param mayCommit - asked synchronously right before COMMIT; where it says no, nothing is stored
   * @returns `another`: the key holds another pop-up already, and nothing was changed
   * @throws PopupStoreError
   */
  putDown(sendKey: string, popup: OnsitePayload, mayCommit: () => boolean): Promise<'stored' | 'another' | 'too_late'>;
}

/** Thrown by a `PopupStore`. `refused` and `away`: nothing is stored. `unclear`: COMMIT was sent, and nobody knows what became of it. */
export class PopupStoreError extends Error {
  override readonly name = 'PopupStoreError';
  readonly code: 'refused' | 'away' | 'unclear';
  constructor(code: PopupStoreError['code'], cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.code = code;
  }
}

/** What a sender's factory knows beside the configuration. */
export interface SenderContext {
  /** The connection's own webhook, to which the provider can report receipts; null: there is none. */
  webhookUrl: string | null;
  /** The tokens of a connection that was let in by OAuth. */
  tokens?: AccessTokens;
  /** Where the store's pop-ups wait; absent: nowhere, and none can be sent. */
  popups?: PopupStore;
}

/** Tokens as a provider gives them. */
export interface Tokens {
  accessToken: string;
  refreshToken: string;
  /** Of the access token, in milliseconds. */
  expiresInMs: number;
}

export type Granted =
  | { kind: 'granted'; tokens: Tokens }
  /** Certainly not: what it was asked with does not count, or not any more. No secret in `reason`. */
  | { kind: 'refused'; reason: string }
  /** Nobody knows whether the provider has given others. */
  | { kind: 'no_answer'; reason: string };

/** How a provider lets an app in. */
export interface OAuth {
  /** Whether this configuration is let in by OAuth. @throws as `sender` */
  applies(config: unknown): boolean;
  /** What tokens are given for, such as an app and an account: where a configuration names another, the tokens of the one before do not count. */
  grantedFor(config: unknown): string;
  /** The code that a person's consent has led to, for tokens. */
  exchange(config: unknown, code: string, redirectUri: string | null): Promise<Granted>;
  refresh(config: unknown, refreshToken: string): Promise<Granted>;
  /** Tokens without those before them, where the provider gives them to whoever has the app's secret; absent: a person has to consent again. */
  recover?(config: unknown): Promise<Granted>;
}

/** The access token of a connection, renewed in time. */
export interface AccessTokens {
  /** @throws Error where there is none that counts; the connection's fault says what to do */
  current(): Promise<string>;
  /** The provider has refused this one: the next call renews it. */
  refused(token: string): Promise<void>;
}

/** A discount code for one person. */
export interface MintedCode {
  code: string;
  percentOff: number;
  /** Epoch milliseconds. */
  grantedAt: number;
  endsAt: number;
}

/** Makes discount codes at a shop. */
export interface Minter {
  /**
   * Make this code, usable once, or find it where it was made before. Never another one.
   * @throws where the shop is away or gives no clear answer: it is asked again, after `retryAfterMs` of the error where it names that
   */
  mint(code: MintedCode): Promise<{ kind: 'minted' } | { kind: 'refused'; response: string }>;
  /** Take it back; one that does not exist is taken back already. @throws likewise */
  revoke(code: string): Promise<void>;
  /** Whether the shop lets us in and shows its codes; changes nothing. @returns the shop's name @throws Error with what it answered */
  check(): Promise<string>;
}

/** What stores connect integrations for, in the order in which they are offered. */
export const integrationPurposes = ['shop', 'leads', 'email', 'texts_and_calls', 'chat', 'site', 'crm', 'model', 'other'] as const;
export type IntegrationPurpose = (typeof integrationPurposes)[number];

/** Steps at a provider, each a sentence or two in the words of its pages. Plain text. */
export interface IntegrationGuide {
  /** Where what the form asks for is found. */
  before: readonly string[];
  /** Where the provider shows the secret of its webhooks; absent: it makes none. */
  secret?: string;
  /** What is entered at the provider once the connection has an address. */
  after: readonly string[];
}

/** A provider: a folder, `integrations/<name>/`, and one line in `integrations/index.ts`. It sends, reports, or both. */
export interface Integration {
  /** As URLs and connections write it: lower-case letters, digits and hyphens. */
  name: string;
  /** As people call it; absent: as `name`. */
  title?: string;
  /** What a store connects it for; absent: `other`. */
  purpose?: IntegrationPurpose;
  /** What somebody does at the provider, for people who read it beside the form; absent: nothing. */
  guide?: IntegrationGuide;
  /** The configuration of a connection as it is entered and stored, sealed; absent: there is nothing to configure. */
  config?: z.ZodType;
  /**
   * What a connection makes for itself, such as a key pair, put into the configuration where it is not entered. @param before - the configuration that
   * this one replaces; null: there is none. @returns the configuration to be stored
   */
  complete?(config: unknown, before: unknown): unknown;
  /** A new secret for the webhooks of a connection; absent: the provider makes it, and it is entered. */
  newSecret?(): string;
  /**
   * Kinds of a subject's keys that nobody can guess, and that its source tells no one but the visitor's own browser: a page that names one has the
   * subject before it. Absent: none, and the page has to bring a proof (`operations/onsite/proof.ts`).
   */
  secretKeys?: readonly string[];
  /** Why a secret that is entered could never verify a webhook, in a sentence; null: it can. Absent: any text can. */
  unusableSecret?(secret: string): string | null;
  /** The secrets of its webhooks that the configuration holds already, so that nobody enters them twice. @throws ZodError */
  webhookSecrets?(config: unknown): readonly string[];
  receiver?: Receiver;
  /** The headers of an event in Rekindle's own format, for a test of the connection; absent: only the provider's own deliveries make sense to it. */
  signEvent?(secret: string, event: { id: string; body: string; nowMs: number }): Record<string, string>;
  /**
   * @param config - as stored and unsealed; the integration reads it with its own schema
   * @throws ZodError or an error class of the integration's own when it cannot be used
   */
  sender?(config: unknown, context: SenderContext): Sender;
  /** Instead of `sender`, for an account that serves several channels: one for each. @throws as `sender` */
  senders?(config: unknown, context: SenderContext): readonly Sender[];
  /** Which account a configuration is of, where its receiver has `aboutAccount`. @throws as `sender` */
  accountOf?(config: unknown): string;
  /** For accounts that are let in by OAuth. */
  oauth?: OAuth;
  /** It wants to know what its contacts have said elsewhere: its receiver's `resolve` is asked with the topic `dnd`. */
  tellsOptOuts?: true;
  /**
   * Whether the provider lets us in with this configuration, where opening a session does not show it. Changes nothing.
   * @returns what it says of itself @throws Error with what it answered
   */
  check?(config: unknown, context: SenderContext): Promise<string>;
  /** Makes discount codes for offers. @throws as `sender` */
  minter?(config: unknown): Minter;
  /** A model that writes texts. @throws as `sender` does */
  writer?(config: unknown): Writer;
  /** A bot that people chat with. @throws as `sender` does */
  bot?(config: unknown): Bot;
  /** A store has one connection of it at a time; absent: as many as it likes. */
  isSingle?: true;
  /** Recommends properties in a chat. @throws as `sender` does */
  recommender?(config: unknown): Recommender;
}

/** What a bot says in a conversation. Plain text: nothing in it is markup. */
export interface BotMessage {
  text: string;
  /** Row by row; empty: none. */
  buttons: ChatButton[][];
  /**
   * The keyboard below the chat. `share_contact`: a button that shares the person's own number, and one that writes `skip` in its place. `closed`: it is
   * taken away. Absent: it stays as it is.
   */
  keyboard?: { kind: 'share_contact'; share: string; skip: string } | { kind: 'closed' };
}

/** An update as it was fetched. `key`: by which a repeat is recognised; `raw`: as the receiver of the integration reads it. */
export interface FetchedUpdate {
  id: number;
  key: string;
  raw: Buffer;
}

/**
 * Why a bot's provider does not do what it is asked. `locked_out`: the token is refused. `conflict`: somebody else fetches this bot's updates, or
 * they go to a webhook. `refused`: what was asked cannot be done, such as delivering to an address that cannot be reached.
 */
export class BotError extends Error {
  override readonly name = 'BotError';
  readonly code: 'locked_out' | 'conflict' | 'refused' | 'rate_limited' | 'unavailable';
  readonly retryAfterMs: number | null;
  constructor(code: BotError['code'], message: string, retryAfterMs: number | null = null) {
    super(message);
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

/** A bot that people chat with, configured for one connection. Every method but `reply` throws `BotError`. */
export interface Bot {
  /** Names the bot, without a secret. */
  account: string;
  /** How its updates are to come; null: by webhook where our public address can be reached. */
  updates: 'webhook' | 'polling' | null;
  /** Whether the token is accepted. @returns the bot's name */
  check(): Promise<string>;
  /** Have updates delivered to this address from now on. What piled up is delivered too. */
  listen(url: string): Promise<void>;
  /** Have them delivered nowhere: they pile up, and none is dropped. */
  unlisten(): Promise<void>;
  /**
   * The updates from this number on, which confirms all before it; waits for one for `waitMs`.
   * @param from - null: from the oldest on that is not confirmed
   */
  fetch(from: number | null, options: { waitMs: number; signal: AbortSignal }): Promise<FetchedUpdate[]>;
  /**
   * Say something inside a conversation: an answer to a turn that is stored, which the caller makes once (docs/adr/0057). Everything else is sent by a
   * `Sender`, behind the ledger. Never throws: a surprise is `unknown`.
   */
  reply(chatId: string, message: BotMessage, options: { timeoutMs: number }): Promise<SendOutcome>;
  /** Tell the provider that a button was seen, so that it stops waiting. */
  acknowledge(queryId: string): Promise<void>;
}

/** What a source of recommendations is asked. Nothing in it names the person, but for what they have written about their wish themselves. */
export interface RecommendationRequest {
  /** `buy`, `rent`, `invest`, or the person's own words; null: they have not said. */
  goal: string | null;
  /** What they asked about before, and where; null: not known. */
  interest: string | null;
  area: string | null;
  /** BCP 47: of the chat. */
  language: string;
  limit: number;
}

/** A source of recommendations, configured for one connection. */
export interface Recommender {
  /**
   * What fits, the best first; empty: nothing does. It has no effect there, so it may be asked again.
   * @throws whatever it likes: that is no answer, and the chat goes on without a list
   */
  recommend(request: RecommendationRequest, limits: { timeoutMs: number; nowMs: number }): Promise<Recommendations>;
  /** Whether the source can be read. @returns what it is and holds @throws Error with what is wrong */
  check(nowMs: number): Promise<string>;
}

/** What a model is asked. */
export interface WriteRequest {
  messages: readonly { role: 'system' | 'user'; content: string }[];
  /** The shape of the answer, as JSON Schema. */
  answer: { name: string; schema: Readonly<Record<string, unknown>> };
  /** Of the answer, in tokens. */
  mostTokens: number;
}

/** What a call costs, in tokens. */
export interface TokenUse {
  input: number;
  output: number;
}

/** Why a model gave no usable answer. */
export type WriteFault = 'timed_out' | 'rate_limited' | 'refused' | 'truncated' | 'wrong_key' | 'unavailable' | 'invalid_answer';

export type WriteOutcome =
  | { kind: 'written'; text: string; use: TokenUse | null }
  | {
      kind: 'failed';
      fault: WriteFault;
      /** Whether the provider may charge for it: it had begun to answer, or nobody knows. */
      charged: boolean;
      /** When it may be asked again; null: it did not say. */
      retryAfterMs: number | null;
      /** Of the provider, for the log; no secret in it. */
      detail: string;
      use: TokenUse | null;
    };

/** A model that writes, configured for one connection. It is called once for each request and repeats nothing by itself. */
export interface Writer {
  /** Names the account at the provider, without a secret. */
  account: string;
  model: string;
  /** Never throws: a surprise is `unavailable`, and charged. */
  write(request: WriteRequest, limit: { timeoutMs: number; signal?: AbortSignal | undefined }): Promise<WriteOutcome>;
  timeoutMs: number;
  /** Whether the provider accepts the key; costs nothing. @throws Error with what it answered */
  check(): Promise<void>;
}

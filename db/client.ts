import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres';
import pg from 'pg';
import { type ConnectionLine, lineOf, type Wanted } from './connection-line.ts';
import { settingSession } from './session-settings.ts';
import { SharedLookups } from './shared-lookups.ts';

/** A transaction that sees exactly one tenant's rows. */
export type Tx = NodePgDatabase & { $client: TransactionClient };

interface TransactionClient extends pg.PoolClient {
  /** Statements that were sent and whose answers nobody waits for before COMMIT. */
  unawaited: Promise<unknown>[];
}

/**
 * Call a function of the database.
 * @param call - e.g. `lock_named($1, $2)`
 * @returns the function's one value
 */
export async function callFunction<T>(tx: Tx, call: string, values: unknown[]): Promise<T> {
  const { rows } = await tx.$client.query<{ value: T }>({ text: `select ${call} as value`, values });
  const [row] = rows;
  if (row === undefined) throw new Error(`${call} returned nothing`);
  return row.value;
}

/**
 * Send a statement without waiting for its result: the next one, usually COMMIT, is sent right behind it. If it fails, the transaction fails with its
 * error.
 */
export function unawaited(tx: Tx, statement: { toSQL(): { sql: string; params: unknown[] } }): void {
  const { sql, params } = statement.toSQL();
  sendUnawaited(tx, { text: sql, values: params });
}

/** The same for a function of the database. @param call - e.g. `write_world($1)` */
export function callUnawaited(tx: Tx, call: string, values: unknown[]): void {
  sendUnawaited(tx, { text: `select ${call} as value`, values });
}

/** Sent before this returns: a query builder that is merely awaited somewhere would be sent later, perhaps behind COMMIT. */
function sendUnawaited({ $client }: Tx, statement: pg.QueryConfig): void {
  const answer = $client.query(statement);
  // Checked when the transaction ends; a failure before that must not count as unhandled.
  answer.catch(() => undefined);
  $client.unawaited.push(answer);
}

/**
 * Thrown when COMMIT was sent and it is not known whether it took
 * effect, when the server acknowledged it with a warning (a lost synchronous standby), or
 * when a statement of the transaction could not be sent.
 * The caller may assume neither that it was committed nor that it was not: repeat the work on a new connection.
 */
export class CommitUnclearError extends Error {
  constructor(cause: unknown) {
    super('the fate of a COMMIT is unclear', { cause });
    this.name = 'CommitUnclearError';
  }
}

/** Postgres's error code, also from beneath drizzle's wrapping error; null where there is none. */
export function postgresCode(error: unknown): string | null {
  for (let e: unknown = error; e instanceof Error; e = e.cause) {
    const code = 'code' in e ? e.code : undefined;
    if (typeof code === 'string') return code;
  }
  return null;
}

/** An error in one line for a column or a page: Postgres's code and the message, never the values of a query. */
export function faultOf(error: unknown): string {
  const message = (error instanceof Error ? error.message : String(error)).replace(/\nparams:[\s\S]*/, '');
  const code = postgresCode(error);
  // Characters that Postgres cannot store in a text: NUL, and half of a surrogate pair, which the cut may leave.
  return `${code === null ? '' : `${code}: `}${message}`.slice(0, 500).replaceAll(/\p{Surrogate}|\0/gu, '');
}

/**
 * Thrown when Postgres ended a transaction because this process left it waiting between two statements (25P03), or had closed the connection for another
 * reason before it got the next one. It had not got COMMIT then: nothing of the transaction is stored.
 */
export class LeftWaitingError extends Error {
  readonly code = '25P03';
  override readonly name = 'LeftWaitingError';
  /** The statement before the gap. */
  readonly after: string;
  constructor(after: string, cause: unknown) {
    super('Postgres ended a transaction that this process had left waiting', { cause });
    this.after = after;
  }
}

/** A lock was not obtained in time, or taking it would have been a deadlock: the same work may succeed a moment later. */
export function isLockFailure(error: unknown): boolean {
  return ['55P03', '40P01', '40001'].includes(postgresCode(error) ?? '');
}

export interface DatabaseOptions {
  url: string;
  /** Connections for requests and background work. */
  maxConnections?: number;
  /** Connections that only settle and watch leases: waiting stops can never starve what they wait for. */
  settlingConnections?: number;
  applicationName?: string;
  /** Source: docs/fence.md#times-in-order */
  idleInTransactionMs?: number;
  lockWaitMs?: number;
  /** After how long a connection is replaced; default ten minutes. */
  connectionLifeSeconds?: number;
  /** For which request something is done now, well-formed; null: for none. Columns that keep it have it as their default (`requestId()`). */
  requestId?: () => string | null;
  /** Called each time that Postgres has ended a transaction which this process had left waiting. */
  onLeftWaiting?: (left: LeftWaiting) => void;
}

/** A transaction that Postgres ended because this process sent nothing for too long, usually because it got no processor time. */
export interface LeftWaiting {
  /** The statement before the gap; no values. */
  after: string;
  /** Whether the transaction is begun again. */
  repeated: boolean;
}

/**
 * `work` may run more than once: each run is a transaction of its own, of which only the last is stored. It changes nothing outside of the database
 * that a second run would change again.
 * `wanted`: whether the result is still needed when its turn comes. @throws NobodyWaitsError where it says no
 */
export type WithTenant = <T>(tenantId: string, work: (tx: Tx) => Promise<T>, wanted?: Wanted) => Promise<T>;

export interface TenantSummary {
  id: string;
  slug: string;
  name: string;
  timeScale: number;
  synthetic: boolean;
}

export interface OutboxItem {
  tenantId: string;
  seq: number;
  enrollmentId: string;
  kind: 'start' | 'stop' | 'wake';
  attempts: number;
  createdAtMs: number;
}

/** A connection that a webhook named, with what its tenant decides about how events are read. */
export interface ResolvedConnection {
  tenantId: string;
  id: string;
  secrets: string[];
  state: string;
  tenant: { slug: string; settings: unknown; timeScale: number };
}

/** The only access to the data: a tenant's transaction, or one of the few queries that are made before a tenant is known or across tenants. */
export interface Database {
  withTenant: WithTenant;
  /** The same on the small pool that is kept free for settling calls and watching leases. */
  settling: WithTenant;
  /**
   * Read one tenant's rows as they stood at one moment, for as long as `work` takes: a read-only transaction (REPEATABLE READ) on a connection of its
   * own, so that it takes nobody's place. It keeps rows that are deleted meanwhile from being cleaned up: minutes, not hours.
   */
  snapshot<T>(tenantId: string, work: (tx: Tx) => Promise<T>): Promise<T>;
  /** What is returned may be shared with others who ask at the same time: it is not to be changed. */
  resolveConnection(integration: string, id: string | null, wanted?: Wanted): Promise<ResolvedConnection | null>;
  /** A key that opens something now. `lastUsedMs`: as it is noted, to the minute; null: never. */
  resolveApiKey(hash: string): Promise<{ tenantId: string; id: string; role: string; lastUsedMs: number | null } | null>;
  listTenants(): Promise<TenantSummary[]>;
  /** The stores that a person who signs in may come into, by slug. */
  storesOfUser(userId: string): Promise<{ tenantId: string; slug: string; name: string; role: string }[]>;
  /** An invitation that can still be accepted. @param hash - SHA-256 of its token, hex */
  resolveInvitation(
    hash: string,
  ): Promise<{ tenantId: string; id: string; slug: string; name: string; email: string; role: string; expiresAtMs: number } | null>;
  /** Whether any store waits for somebody with this address. @param email - in lower case */
  isInvited(email: string): Promise<boolean>;
  /** The installation's own keys, sealed under the master key. */
  installationKeys(): Promise<{ name: string; sealed: string }[]>;
  /** Store one of them. @param was - what it replaces; null: there is none yet. @returns whether nobody else was first */
  putInstallationKey(name: string, sealed: string, was: string | null): Promise<boolean>;
  claimOutbox(maxRows: number, claimMs: number): Promise<OutboxItem[]>;
  /** In random order: a pass that fails at one store, or comes no further than a few, leaves the same ones behind no second time. */
  tenantsWithWork(
    kind:
      | 'dead_leases'
      | 'in_doubt'
      | 'pending_inbox'
      | 'notifications'
      | 'overdue_tasks'
      | 'privacy'
      | 'bulk_jobs'
      | 'bulk_actions'
      | 'shadows'
      | 'codes_to_close'
      | 'lookups'
      | 'bots'
      | 'chats'
      | 'alerts'
      | 'lead_routings'
      | 'risk_due'
      | 'risk_runs'
      | 'imports'
      | 'keyword_answers'
      | 'webhook_events'
      | 'webhook_deliveries',
  ): Promise<string[]>;
  outboxBacklog(): Promise<{ waiting: number; oldestMs: number }>;
  /** Deliveries of all tenants that wait in the quarantine, how many may be stops, and how long the oldest of these has waited. */
  quarantineBacklog(): Promise<{ open: number; mayBeStops: number; oldestStopMs: number }>;
  /** The steps of all stores that were dispatched late in the last `withinMs`. */
  lateSteps(withinMs: number): Promise<{ steps: number; worstMs: number }>;
  makeMessageEventPartitions(): Promise<void>;
  /** Deliveries that are stored and not applied yet. */
  inboxBacklog(): Promise<{ waiting: number; oldestMs: number }>;
  /** Delete up to `most` facts that have been expired for so many days and that nothing is decided by any more. @returns how many there were */
  pruneFacts(keptDays: number, most: number): Promise<number>;
  /** Forget when single addresses may get their next message, where that is over. @returns how many there were */
  pruneSendRates(): Promise<number>;
  /** Forget answers to keyed requests that were kept long enough, and leases and minutes that are over. @returns how many there were */
  pruneRequests(): Promise<number>;
  /** Delete up to `most` events of outgoing webhooks older than so many days, with their deliveries. @returns how many there were */
  pruneWebhooks(keptDays: number, most: number): Promise<number>;
  /** Delete up to `most` notifications that were settled so many days ago. @returns how many there were */
  pruneNotifications(keptDays: number, most: number): Promise<number>;
  /** Of some stores, each with a snapshot that its readers have come to, those that have newer events. */
  storesWithNews(stores: readonly { tenantId: string; seen: string }[]): Promise<string[]>;
  /** Have Postgres count the rows of tables that have doubled since it last did, so that its plans fit them. @returns how many there were */
  analyzeGrown(): Promise<number>;
  /** Add up to `maxRows` changes of figures to their sums. @returns how many there were; 0 also while another process is at it */
  foldRollups(maxRows: number): Promise<number>;
  /** Compute the credits of up to `maxMarks` marked orders anew. @returns how many marks were done; 0 also while another process is at it */
  foldAttribution(maxMarks: number): Promise<number>;
  /** Compute what became of the people of up to `maxMarks` marks anew. @returns how many marks were done; 0 also while another process is at it */
  foldCourses(maxMarks: number): Promise<number>;
  /** The stores of which interventions are to be judged anew. @param atMs - by that time, epoch milliseconds */
  storesWithStaleInterventions(atMs: number): Promise<string[]>;
  ping(): Promise<void>;
  /**
   * `longestWaitMs`: how long the first of those who wait for a connection has been waiting, where no connection is free, or for the answer to
   * `resolveConnection`, which many share.
   */
  stats(): { total: number; idle: number; waiting: number; longestWaitMs: number };
  close(): Promise<void>;
}

/** Rows of the smallest table whose plans matter. */
const smallestAnalyzed = 200;

/** Ids of several requests are separated by commas. */
const requestIdPattern = /^[\w.:,-]+$/;
const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/**
 * Run `work` in a transaction of its own: READ COMMITTED, the tenant set first. BEGIN is on its way together with the first statement;
 * were it lost, that statement would find no tenant, so no row to read and none that it may write.
 */
async function inTransaction<T>(
  line: ConnectionLine,
  named: Naming,
  { tenantId, requestId }: { tenantId: string; requestId: string | null },
  work: (tx: Tx) => Promise<T>,
  wanted?: Wanted,
): Promise<T> {
  if (!uuidPattern.test(tenantId)) throw new TypeError('a tenant id is a UUID');
  if (requestId !== null && !requestIdPattern.test(requestId)) throw new TypeError('a request id has letters, digits and a few signs only');
  const client = await line.take(wanted);
  const unawaited: Promise<unknown>[] = [];
  let broken: Error | undefined;
  let after = 'begin';
  const onError = (error: Error) => {
    // The first error says why; later ones that the connection is gone.
    broken ??= error;
  };
  client.on('error', onError);
  try {
    // The session has the role already. It is taken once more because tenants are kept apart by it, whatever becomes of a session on its way to Postgres.
    const begun = client.query(
      `begin; select set_config('role', 'rekindle_app', true), set_config('app.tenant', '${tenantId}', true)${requestId === null ? '' : `, set_config('app.request', '${requestId}', true)`}`,
    );
    // If it fails, so does the first statement, which finds no tenant; report this error as the cause.
    unawaited.push(begun);
    begun.catch(() => undefined);
    // Without the schema: drizzle would compute all relations anew for each transaction.
    const noted: Naming = (statement) => {
      after = statement.text;
      return named(statement);
    };
    const result = await work(drizzle(naming(client, noted, unawaited)));
    await begun;
    await commit(client);
    // A statement that never left this process does not make COMMIT fail.
    await Promise.all(unawaited).catch((cause: unknown) => {
      throw new CommitUnclearError(cause);
    });
    return result;
  } catch (thrown) {
    const found = thrown instanceof CommitUnclearError ? thrown : await causeOf(thrown, unawaited);
    // The server's own reason arrives either as a statement's answer or, where none is under way, as an error of the connection.
    const ended = [broken, found].find((error) => postgresCode(error) === '25P03') ?? [thrown, found].find(isClosedBefore);
    const error = ended === undefined ? found : new LeftWaitingError(after, ended);
    if (error instanceof CommitUnclearError || error instanceof LeftWaitingError) broken = error;
    // The server did not answer in time, and would not answer a rollback either.
    else if (error instanceof Error && isSilence(error)) broken = error;
    // A connection that cannot even roll back is thrown away with its transaction.
    else await client.query('rollback').catch((e: Error) => (broken = e));
    throw error;
  } finally {
    client.removeListener('error', onError);
    client.release(broken);
  }
}

/** Between two statements the process computes: far longer than a transaction that holds locks may. */
const idleInSnapshotMs = 120_000;

async function inSnapshot<T>({ url, name }: { url: string; name: string }, tenantId: string, work: (tx: Tx) => Promise<T>): Promise<T> {
  if (!uuidPattern.test(tenantId)) throw new TypeError('a tenant id is a UUID');
  const client = new pg.Client({
    connectionString: url,
    application_name: name,
    connectionTimeoutMillis: 3_000,
    keepAlive: true,
    pipeline: true,
  });
  // A statement that is under way fails with the connection; between two, the next one does.
  client.on('error', () => undefined);
  await client.connect();
  try {
    await settingSession({ role: 'rekindle_app', idle_in_transaction_session_timeout: String(idleInSnapshotMs) })(client);
    await client.query('begin isolation level repeatable read read only');
    await client.query("select set_config('role', 'rekindle_app', true), set_config('app.tenant', $1, true)", [tenantId]);
    // A transaction's client as far as reading goes: nothing is ever sent unawaited here.
    const reading = Object.assign(client, { unawaited: [] }) as unknown as TransactionClient;
    return await work(drizzle(reading));
  } finally {
    await client.end();
  }
}

/** How often a transaction that was left waiting is begun again: on a starved machine the next gap is as likely as the last. */
const mostRepeats = 2;

/** Repeat a transaction that Postgres ended because it was left waiting: nothing of it is stored, and `work` begins from its first statement. */
async function repeatIfLeftWaiting<T>(transaction: () => Promise<T>, report: (left: LeftWaiting) => void): Promise<T> {
  for (let repeats = 0; ; repeats++) {
    try {
      return await transaction();
    } catch (error) {
      if (!(error instanceof LeftWaitingError)) throw error;
      report({ after: error.after, repeated: repeats < mostRepeats });
      if (repeats === mostRepeats) throw error;
    }
  }
}

/**
 * Whether a statement met a connection that the server had closed: writing to it discards what the server said last, its reason with it. COMMIT had not
 * reached the server.
 */
function isClosedBefore(error: unknown): boolean {
  return !(error instanceof CommitUnclearError) && ['EPIPE', 'ECONNRESET'].includes(postgresCode(error) ?? '');
}

/**
 * Whether COMMIT cannot have left this process. Nothing is written behind it, so a write that fails is its own or one before it; TLS writes on its own
 * account, too.
 */
function isUnsent(error: unknown, client: pg.PoolClient): boolean {
  return error instanceof Error && 'syscall' in error && error.syscall === 'write' && !client.ssl && postgresCode(error) === 'EPIPE';
}

/** A statement that failed unawaited makes the next one, or COMMIT, fail: it is the cause. */
async function causeOf(thrown: unknown, unawaited: Promise<unknown>[]): Promise<unknown> {
  const failed = (await Promise.allSettled(unawaited)).find((answer) => answer.status === 'rejected');
  return failed === undefined ? thrown : failed.reason;
}

/** Gives a statement the name under which each connection parses and plans it once. */
type Naming = (statement: pg.QueryConfig) => pg.QueryConfig;

// Lists of other lengths are other statements: what comes late stays without a name, so that plans cannot fill the server's memory.
const mostNamed = 300;

function nameStatements(): Naming {
  const names = new Map<string, string>();
  const nameOf = (text: string): string | undefined => {
    const known = names.get(text);
    if (known !== undefined || names.size >= mostNamed) return known;
    const name = `rekindle_${names.size}`;
    names.set(text, name);
    return name;
  };
  return (statement) => {
    const name = nameOf(statement.text);
    return name === undefined ? statement : { ...statement, name };
  };
}

/** A view of a connection on which every statement is a named one. */
function naming(client: pg.PoolClient, named: Naming, unawaited: Promise<unknown>[]): TransactionClient {
  const query = (statement: pg.QueryConfig, values?: unknown[]) => client.query(named(statement), values);
  return Object.create(client, { query: { value: query }, unawaited: { value: unawaited } });
}

/** The driver gave up waiting, also where drizzle wraps its error. */
function isSilence(error: Error): boolean {
  for (let e: unknown = error; e instanceof Error; e = e.cause) if (e.message === 'Query read timeout') return true;
  return false;
}

async function commit(client: pg.PoolClient): Promise<void> {
  let warning: unknown;
  const onNotice = (notice: { severity?: string | undefined }) => {
    if (notice.severity === 'WARNING') warning = notice;
  };
  client.on('notice', onNotice);
  try {
    const result = await client.query('commit');
    if (result.command !== 'COMMIT') throw new Error(`COMMIT answered ${result.command}: the transaction had failed`);
  } catch (error) {
    // An error with a code is the server's statement that nothing was committed; a lost connection is not.
    if (postgresCode(error)?.match(/^(2[35]|40)/)) throw error;
    if (error instanceof Error && error.message.startsWith('COMMIT answered')) throw error;
    if (isUnsent(error, client)) throw error;
    throw new CommitUnclearError(error);
  } finally {
    client.removeListener('notice', onNotice);
  }
  if (warning !== undefined) throw new CommitUnclearError(warning);
}

/**
 * Open the pools. Every connection acts as `rekindle_app`, which owns nothing, so that row-level security holds for each statement.
 * @param options - `url` of a login that may act as the role (migrations grant it)
 */
export function openDatabase(options: DatabaseOptions): Database {
  const onConnect = settingSession({
    role: 'rekindle_app',
    idle_in_transaction_session_timeout: String(options.idleInTransactionMs ?? 500),
    lock_timeout: String(options.lockWaitMs ?? 800),
    default_transaction_isolation: 'read committed',
  });
  const open = (max: number, name: string, queryTimeoutMs: number | undefined) => {
    const pool = new pg.Pool({
      connectionString: options.url,
      max,
      // The pool waits for it; its types do not say so.
      // oxlint-disable-next-line typescript/no-misused-promises
      onConnect,
      application_name: `${options.applicationName ?? 'rekindle'} ${name}`,
      connectionTimeoutMillis: 3_000,
      keepAlive: true,
      // Its plans go with it. Postgres plans a kept statement anew when its tables were analysed, but goes on comparing costs with those that it
      // estimated before, which can let an old connection plan a statement at each execution.
      maxLifetimeSeconds: options.connectionLifeSeconds ?? 600,
      // A statement is sent when it is asked for, not when the one before it was answered.
      pipeline: true,
      ...(queryTimeoutMs === undefined ? {} : { query_timeout: queryTimeoutMs }),
    });
    // An idle connection that dies (a restarted server) is replaced by the pool; without a listener it would end the process.
    pool.on('error', () => undefined);
    // Between the pool's listener and a transaction's there is a gap in which an ended connection would end the process.
    pool.on('connect', (client) => void client.on('error', () => undefined));
    return pool;
  };
  const main = open(options.maxConnections ?? 20, 'main', 10_000);
  const settlingPool = open(options.settlingConnections ?? 4, 'settling', 3_000);
  const [line, settlingLine] = [lineOf(main), lineOf(settlingPool)];
  const named = nameStatements();
  // Columns by name, never `*`: a connection refuses a plan that it keeps once a newer build's function answers with one column more.
  const rows = async <R extends pg.QueryResultRow>(text: string, values: unknown[] = [], wanted?: Wanted): Promise<R[]> => {
    const client = await line.take(wanted);
    let broken: Error | undefined;
    try {
      return (await client.query<R>(named({ text, values }))).rows;
    } catch (error) {
      // As the pool's own `query` does: a connection on which such a statement failed is not used again.
      broken = error instanceof Error ? error : new Error('a statement failed', { cause: error });
      throw error;
    } finally {
      client.release(broken);
    }
  };

  const resolving = new SharedLookups<ResolvedConnection | null>();
  const resolveConnection = async (integration: string, id: string | null, wanted: Wanted): Promise<ResolvedConnection | null> => {
    const [row] = await rows<{
      tenant_id: string;
      id: string;
      secrets: string[];
      state: string;
      slug: string;
      settings: unknown;
      time_scale: number;
    }>('select tenant_id, id, secrets, state, slug, settings, time_scale from resolve_connection($1, $2)', [integration, id], wanted);
    if (row === undefined) return null;
    const tenant = { slug: row.slug, settings: row.settings, timeScale: row.time_scale };
    return { tenantId: row.tenant_id, id: row.id, secrets: row.secrets, state: row.state, tenant };
  };

  const onLeftWaiting = options.onLeftWaiting ?? (() => undefined);
  const requestIdOf = options.requestId ?? (() => null);
  const transactionsOn =
    (of: ConnectionLine): WithTenant =>
    (tenantId, work, wanted) =>
      repeatIfLeftWaiting(() => inTransaction(of, named, { tenantId, requestId: requestIdOf() }, work, wanted), onLeftWaiting);

  return {
    withTenant: transactionsOn(line),
    settling: transactionsOn(settlingLine),
    snapshot: (tenantId, work) => inSnapshot({ url: options.url, name: `${options.applicationName ?? 'rekindle'} snapshot` }, tenantId, work),
    async resolveConnection(integration, id, wanted = () => true) {
      if (id !== null && !uuidPattern.test(id)) return null;
      return resolving.ask(`${integration} ${id}`, wanted, (stillWanted) => resolveConnection(integration, id, stillWanted));
    },
    async resolveApiKey(hash) {
      const [row] = await rows<{ tenant_id: string; id: string; role: string; last_used_at: Date | null }>(
        'select tenant_id, id, role, last_used_at from resolve_api_key_2($1)',
        [hash],
      );
      return row === undefined ? null : { tenantId: row.tenant_id, id: row.id, role: row.role, lastUsedMs: row.last_used_at?.getTime() ?? null };
    },
    async listTenants() {
      const found = await rows<{ id: string; slug: string; name: string; time_scale: number; synthetic: boolean }>(
        'select id, slug, name, time_scale, synthetic from list_tenants()',
      );
      return found.map((t) => ({ id: t.id, slug: t.slug, name: t.name, timeScale: t.time_scale, synthetic: t.synthetic }));
    },
    async storesOfUser(userId) {
      const found = await rows<{ tenant_id: string; slug: string; name: string; role: string }>(
        'select tenant_id, slug, name, role from stores_of_user($1)',
        [userId],
      );
      return found.map((s) => ({ tenantId: s.tenant_id, slug: s.slug, name: s.name, role: s.role }));
    },
    async resolveInvitation(hash) {
      const [row] = await rows<{ tenant_id: string; id: string; slug: string; name: string; email: string; role: string; expires_at: Date }>(
        'select tenant_id, id, slug, name, email, role, expires_at from resolve_invitation($1)',
        [hash],
      );
      if (row === undefined) return null;
      const { tenant_id: tenantId, id, slug, name, email, role, expires_at: expiresAt } = row;
      return { tenantId, id, slug, name, email, role, expiresAtMs: expiresAt.getTime() };
    },
    async isInvited(email) {
      const [row] = await rows<{ invited: boolean }>('select is_invited($1) as invited', [email]);
      return row?.invited === true;
    },
    async installationKeys() {
      return rows<{ name: string; sealed: string }>('select name, sealed from installation_keys()');
    },
    async putInstallationKey(name, sealed, was) {
      const [row] = await rows<{ stored: boolean }>('select put_installation_key($1, $2, $3) as stored', [name, sealed, was]);
      return row?.stored ?? false;
    },
    async claimOutbox(maxRows, claimMs) {
      const found = await rows<{
        tenant_id: string;
        seq: string;
        enrollment_id: string;
        kind: OutboxItem['kind'];
        attempts: number;
        created_at: Date;
      }>('select tenant_id, seq, enrollment_id, kind, attempts, created_at from claim_outbox($1, $2)', [maxRows, claimMs]);
      return found.map((r) => ({
        tenantId: r.tenant_id,
        seq: Number(r.seq),
        enrollmentId: r.enrollment_id,
        kind: r.kind,
        attempts: r.attempts,
        createdAtMs: r.created_at.getTime(),
      }));
    },
    async tenantsWithWork(kind) {
      return (await rows<{ tenant_id: string }>('select tenant_id from tenants_with_work($1) order by random()', [kind])).map((r) => r.tenant_id);
    },
    async outboxBacklog() {
      const [row] = await rows<{ waiting: string; oldest_ms: number }>('select waiting, oldest_ms from outbox_backlog()');
      return { waiting: Number(row?.waiting ?? 0), oldestMs: row?.oldest_ms ?? 0 };
    },
    async quarantineBacklog() {
      const [row] = await rows<{ open: string; may_be_stops: string; oldest_stop_ms: number }>(
        'select open, may_be_stops, oldest_stop_ms from quarantine_backlog()',
      );
      return { open: Number(row?.open ?? 0), mayBeStops: Number(row?.may_be_stops ?? 0), oldestStopMs: row?.oldest_stop_ms ?? 0 };
    },
    async lateSteps(withinMs) {
      const [row] = await rows<{ steps: string; worst_ms: string }>('select steps, worst_ms from late_steps($1)', [withinMs]);
      return { steps: Number(row?.steps ?? 0), worstMs: Number(row?.worst_ms ?? 0) };
    },
    async inboxBacklog() {
      const [row] = await rows<{ waiting: string; oldest_ms: number }>('select waiting, oldest_ms from inbox_backlog()');
      return { waiting: Number(row?.waiting ?? 0), oldestMs: row?.oldest_ms ?? 0 };
    },
    async pruneFacts(keptDays, most) {
      const [row] = await rows<{ pruned: number }>('select prune_facts(make_interval(days => $1), $2) as pruned', [keptDays, most]);
      return row?.pruned ?? 0;
    },
    async pruneSendRates() {
      const [row] = await rows<{ pruned: number }>('select prune_send_rates() as pruned', []);
      return row?.pruned ?? 0;
    },
    async pruneRequests() {
      const [row] = await rows<{ pruned: number }>('select prune_requests() as pruned', []);
      return row?.pruned ?? 0;
    },
    async pruneWebhooks(keptDays, most) {
      const [row] = await rows<{ pruned: number }>('select prune_webhooks(make_interval(days => $1), $2) as pruned', [keptDays, most]);
      return row?.pruned ?? 0;
    },
    async pruneNotifications(keptDays, most) {
      const [row] = await rows<{ pruned: number }>('select prune_notifications(make_interval(days => $1), $2) as pruned', [keptDays, most]);
      return row?.pruned ?? 0;
    },
    async storesWithNews(stores) {
      if (stores.length === 0) return [];
      const asked = [stores.map(({ tenantId }) => tenantId), stores.map(({ seen }) => seen)];
      return (await rows<{ tenant_id: string }>('select tenant_id from stores_with_news($1, $2)', asked)).map((row) => row.tenant_id);
    },
    async makeMessageEventPartitions() {
      await rows('select make_message_event_partitions()');
    },
    async analyzeGrown() {
      const [row] = await rows<{ tables: number }>('select analyze_grown($1) as tables', [smallestAnalyzed]);
      return row?.tables ?? 0;
    },
    async foldRollups(maxRows) {
      const [row] = await rows<{ folded: number }>('select fold_rollups($1) as folded', [maxRows]);
      return row?.folded ?? 0;
    },
    async foldAttribution(maxMarks) {
      const [row] = await rows<{ folded: number }>('select fold_attribution($1) as folded', [maxMarks]);
      return row?.folded ?? 0;
    },
    async foldCourses(maxMarks) {
      const [row] = await rows<{ folded: number }>('select fold_courses($1) as folded', [maxMarks]);
      return row?.folded ?? 0;
    },
    async storesWithStaleInterventions(atMs) {
      const at = [new Date(atMs).toISOString()];
      return (await rows<{ tenant_id: string }>('select tenant_id from stores_with_stale_interventions($1)', at)).map((row) => row.tenant_id);
    },
    async ping() {
      await rows('select 1');
    },
    stats: () => ({
      total: main.totalCount,
      idle: main.idleCount,
      waiting: main.waitingCount,
      longestWaitMs: Math.max(main.idleCount > 0 ? 0 : line.longestWaitMs(), resolving.longestWaitMs()),
    }),
    async close() {
      await Promise.all([main.end(), settlingPool.end()]);
    },
  };
}

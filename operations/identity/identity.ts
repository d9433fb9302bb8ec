import { randomBytes } from 'node:crypto';
import { eq, inArray, lt } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { openIdentityDb } from '../../db/identity.ts';
import { account, user, verification } from '../../db/schema/index.ts';
import type { Database } from '../../db/client.ts';
import { type Role, roleNames } from '../../domain/access/permissions.ts';
import type { Log } from '../deps.ts';
import type { Auth, OidcOptions } from './auth.ts';
import { addressHeader, authPath, oidcProvider } from './paths.ts';
import { countAttempt, forgetAttempts, pruneAttempts } from './throttle.ts';

export type { OidcOptions } from './auth.ts';

export interface Person {
  id: string;
  name: string;
  email: string;
  /** Proven by an identity provider. */
  emailVerified: boolean;
}

/** A store that a person may come into. */
export interface StoreOfPerson {
  tenantId: string;
  slug: string;
  name: string;
  role: Role;
}

export interface SignedIn {
  person: Person;
  sessionId: string;
  /** Epoch milliseconds. */
  expiresAtMs: number;
}

/** A sign-in that is still open, on this browser or another. */
export interface SessionView {
  id: string;
  userAgent: string | null;
  address: string | null;
  createdAtMs: number;
  expiresAtMs: number;
  isThisOne: boolean;
}

/** Who asks, as the connection and the browser say. */
export interface Visitor {
  address: string;
  /** Lower-case names. */
  headers: Readonly<Record<string, string | string[] | undefined>>;
}

export type Denied =
  | { kind: 'refused'; code: 'wrong_credentials' | 'no_session' | 'wrong_password' | 'unusable_password' | 'unusable_link' | 'foreign_page' }
  | { kind: 'too_many'; afterSeconds: number };

/** With the cookies that the browser is to keep, as `Set-Cookie` values. */
export type Admitted<T> = { kind: 'done'; value: T; cookies: string[] };

/** People who sign in. One per API process; nothing is loaded or connected before somebody asks. */
export interface Identity {
  /** Whether there is an identity provider to sign in at. */
  readonly hasOidc: boolean;
  signIn(visitor: Visitor, email: string, password: string): Promise<Admitted<Person> | Denied>;
  signOut(visitor: Visitor): Promise<string[]>;
  /** @returns null: nobody is signed in. `cookies`: the session was prolonged */
  whoIs(visitor: Visitor): Promise<(SignedIn & { cookies: string[] }) | null>;
  storesOf(personId: string): Promise<StoreOfPerson[]>;
  changePassword(visitor: Visitor, current: string, next: string): Promise<Admitted<null> | Denied>;
  sessions(visitor: Visitor): Promise<SessionView[] | null>;
  /** @returns false: there is no such session of this person */
  endSession(visitor: Visitor, sessionId: string): Promise<boolean>;
  /** The address at the identity provider where the browser goes next. */
  beginOidc(visitor: Visitor, returnTo: string): Promise<Admitted<string> | Denied>;
  /** The browser comes back from the identity provider. @param url - path and query */
  finishOidc(visitor: Visitor, url: string): Promise<{ location: string; cookies: string[] }>;
  /** Make an account with a password for somebody who is invited. @returns null: there is one for this address already */
  createPerson(email: string, name: string, password: string): Promise<Person | null | 'unusable_password'>;
  people(ids: readonly string[]): Promise<Map<string, Person>>;
  findByEmail(email: string): Promise<Person | null>;
  /** Whether somebody who has forgotten their password can have a link sent. */
  readonly sendsPasswordLinks: boolean;
  /**
   * Have a link to a new password sent to an address, where somebody has an account with it. The answer, and the time that it takes, are the same where nobody
   * has, and where it was asked for too often.
   */
  forgotPassword(visitor: Visitor, email: string): Promise<Admitted<null> | Denied>;
  /** The token of a link with which the person sets a new password, once and within an hour. */
  passwordLink(personId: string): Promise<string>;
  resetPassword(visitor: Visitor, token: string, password: string): Promise<Admitted<null> | Denied>;
  /** Their sessions, ways in and memberships go with them. */
  deletePerson(personId: string): Promise<boolean>;
  /** Forget what is over. */
  prune(): Promise<void>;
  close(): Promise<void>;
}

export interface IdentityOptions {
  databaseUrl: string;
  applicationName: string;
  secret: Buffer;
  publicUrl: string;
  oidc: OidcOptions | null;
  log: Log;
  db: Pick<Database, 'storesOfUser' | 'isInvited'>;
  /** Sends a link to a new password; null: the installation has no sender of its own. */
  sendPasswordLink: ((email: string, url: string) => Promise<void>) | null;
}

const passwordLinkMs = 3_600_000;
/** By email, of one address within a quarter of an hour. */
const mostPasswordLinks = 3;
/** What of a browser's request decides. */
const forwarded = ['cookie', 'origin', 'referer', 'user-agent', 'sec-fetch-site', 'sec-fetch-mode', 'sec-fetch-dest'] as const;

/** Better Auth's answers for refusals, as ours. */
const refusals: Readonly<Record<string, Extract<Denied, { kind: 'refused' }>['code']>> = {
  INVALID_EMAIL_OR_PASSWORD: 'wrong_credentials',
  INVALID_PASSWORD: 'wrong_password',
  CREDENTIAL_ACCOUNT_NOT_FOUND: 'wrong_password',
  PASSWORD_TOO_SHORT: 'unusable_password',
  PASSWORD_TOO_LONG: 'unusable_password',
  INVALID_TOKEN: 'unusable_link',
  USER_NOT_FOUND: 'unusable_link',
  INVALID_ORIGIN: 'foreign_page',
  MISSING_OR_NULL_ORIGIN: 'foreign_page',
  CROSS_SITE_NAVIGATION_LOGIN_BLOCKED: 'foreign_page',
};

export function createIdentity(options: IdentityOptions): Identity {
  const { publicUrl, log, sendPasswordLink: send } = options;
  const { db, close: closeDb } = openIdentityDb(options.databaseUrl, options.applicationName);
  let closing: Promise<void> | null = null;
  let made: Promise<Auth> | null = null;
  // Most processes never need it, and its modules take a while to load.
  const auth = () =>
    (made ??= import('./auth.ts').then(({ createAuth }) =>
      createAuth({
        ...{ db, publicUrl, oidc: options.oidc, log },
        secret: options.secret.toString('base64url'),
        isExpected: (email) => options.db.isInvited(email),
        onPasswordToken: send === null ? null : (email, token) => void send(email, `${publicUrl}/new-password#${token}`).catch(() => undefined),
      }),
    ));
  const context = async () => (await auth()).$context;

  /** Ask Better Auth as a browser would, so that its own checks of origin and rate are made. */
  async function call(visitor: Visitor, path: string, body?: Record<string, unknown>): Promise<Response> {
    const headers = headersOf(visitor, publicUrl);
    if (body !== undefined) headers.set('content-type', 'application/json');
    const request = new Request(`${publicUrl}${authPath}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers,
      redirect: 'manual',
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return (await auth()).handler(request);
  }

  async function deniedBy(response: Response): Promise<Denied> {
    if (response.status === 429) return { kind: 'too_many', afterSeconds: Number(response.headers.get('x-retry-after') ?? '60') || 60 };
    const answer: unknown = await response.json().catch(() => ({}));
    const said = typeof answer === 'object' && answer !== null && 'code' in answer ? String(answer.code) : '';
    const code = refusals[said] ?? (response.status === 401 ? 'no_session' : undefined);
    if (code === undefined) throw new Error(`the sign-in answered ${response.status} ${said}`);
    return { kind: 'refused', code };
  }

  const sessionOf = async (visitor: Visitor, disableRefresh: boolean) => {
    if (!('cookie' in visitor.headers)) return null;
    const { headers, response } = await (await auth()).api.getSession({
      headers: headersOf(visitor, publicUrl),
      query: { disableRefresh },
      returnHeaders: true,
    });
    return response === null ? null : { ...response, cookies: headers.getSetCookie() };
  };

  return {
    hasOidc: options.oidc !== null,
    async signIn(visitor, email, password) {
      const waitSeconds = await countAttempt(db, email);
      if (waitSeconds !== null) return { kind: 'too_many', afterSeconds: waitSeconds };
      const response = await call(visitor, '/sign-in/email', { email, password });
      if (!response.ok) return deniedBy(response);
      await forgetAttempts(db, email);
      const answer = (await response.json()) as { user: RawPerson };
      return { kind: 'done', value: personOf(answer.user), cookies: response.headers.getSetCookie() };
    },
    async signOut(visitor) {
      const response = await call(visitor, '/sign-out', {});
      return response.headers.getSetCookie();
    },
    async whoIs(visitor) {
      const found = await sessionOf(visitor, false);
      if (found === null) return null;
      const { session, cookies } = found;
      return { person: personOf(found.user), sessionId: session.id, expiresAtMs: session.expiresAt.getTime(), cookies };
    },
    async storesOf(personId) {
      const found = await options.db.storesOfUser(personId);
      return found.flatMap(({ role: name, ...store }) => {
        const role = roleNames.find((one) => one === name);
        // Of a later version of the product.
        return role === undefined ? [] : [{ ...store, role }];
      });
    },
    async changePassword(visitor, currentPassword, newPassword) {
      const found = await sessionOf(visitor, true);
      if (found === null) return { kind: 'refused', code: 'no_session' };
      // A stolen session must not be usable to guess the password.
      const counted = `password of ${found.user.id}`;
      const waitSeconds = await countAttempt(db, counted);
      if (waitSeconds !== null) return { kind: 'too_many', afterSeconds: waitSeconds };
      const response = await call(visitor, '/change-password', { currentPassword, newPassword, revokeOtherSessions: true });
      if (!response.ok) return deniedBy(response);
      await forgetAttempts(db, counted);
      return { kind: 'done', value: null, cookies: response.headers.getSetCookie() };
    },
    async sessions(visitor) {
      const found = await sessionOf(visitor, true);
      if (found === null) return null;
      const all = await (await context()).internalAdapter.listSessions(found.user.id, { onlyActiveSessions: true });
      return all.map(({ id, userAgent, ipAddress, createdAt, expiresAt }) => ({
        ...{ id, userAgent: userAgent ?? null, address: ipAddress ?? null },
        createdAtMs: createdAt.getTime(),
        expiresAtMs: expiresAt.getTime(),
        isThisOne: id === found.session.id,
      }));
    },
    async endSession(visitor, sessionId) {
      const found = await sessionOf(visitor, true);
      if (found === null) return false;
      const { internalAdapter } = await context();
      const one = (await internalAdapter.listSessions(found.user.id)).find(({ id }) => id === sessionId);
      if (one === undefined) return false;
      await internalAdapter.deleteSession(one.token);
      return true;
    },
    async beginOidc(visitor, returnTo) {
      const response = await call(visitor, '/sign-in/social', {
        provider: oidcProvider,
        callbackURL: `${publicUrl}${returnTo}`,
        errorCallbackURL: `${publicUrl}/sign-in`,
        disableRedirect: true,
      });
      if (!response.ok) return deniedBy(response);
      const { url } = (await response.json()) as { url: string };
      return { kind: 'done', value: url, cookies: response.headers.getSetCookie() };
    },
    async finishOidc(visitor, url) {
      const response = await call(visitor, url.slice(authPath.length));
      const location = response.headers.get('location');
      // It always redirects, also with an error; where it does not, the person begins again.
      return { location: location ?? `${publicUrl}/sign-in?error=unavailable`, cookies: response.headers.getSetCookie() };
    },
    async createPerson(email, name, password) {
      const { internalAdapter, password: passwords } = await context();
      const { minPasswordLength, maxPasswordLength } = passwords.config;
      if (password.length < minPasswordLength || password.length > maxPasswordLength) return 'unusable_password';
      const hashed = await passwords.hash(password);
      const id = await insertPerson(email, name, hashed);
      return id === null ? null : personOf((await internalAdapter.findUserById(id)) as RawPerson);
    },
    async people(ids) {
      const rows =
        ids.length === 0
          ? []
          : await db
              .select()
              .from(user)
              .where(inArray(user.id, [...ids]));
      return new Map(rows.map((row) => [row.id, personOf(row)]));
    },
    async findByEmail(email) {
      const [row] = await db.select().from(user).where(eq(user.email, email.trim().toLowerCase()));
      return row === undefined ? null : personOf(row);
    },
    sendsPasswordLinks: send !== null,
    async forgotPassword(visitor, email) {
      // Limits the links per address, whoever asks; the answer stays the same.
      const tooOften = (await countAttempt(db, `new password ${email.trim().toLowerCase()}`, mostPasswordLinks)) !== null;
      const response = await call(visitor, '/request-password-reset', { email: tooOften ? 'nobody@invalid.example' : email });
      return response.ok ? { kind: 'done', value: null, cookies: [] } : deniedBy(response);
    },
    async passwordLink(personId) {
      const token = randomBytes(24).toString('base64url');
      await (await context()).internalAdapter.createVerificationValue({
        identifier: `reset-password:${token}`,
        value: personId,
        expiresAt: new Date(Date.now() + passwordLinkMs),
      });
      return token;
    },
    async resetPassword(visitor, token, newPassword) {
      const response = await call(visitor, '/reset-password', { token, newPassword });
      return response.ok ? { kind: 'done', value: null, cookies: response.headers.getSetCookie() } : deniedBy(response);
    },
    async deletePerson(personId) {
      const gone = await db.delete(user).where(eq(user.id, personId)).returning({ id: user.id });
      return gone.length > 0;
    },
    async prune() {
      await pruneAttempts(db);
      await db.delete(verification).where(lt(verification.expiresAt, new Date()));
    },
    close: () => (closing ??= closeDb()),
  };

  async function insertPerson(email: string, name: string, password: string): Promise<string | null> {
    return db.transaction(async (tx) => {
      const [row] = await tx.insert(user).values({ id: uuidv7(), email: email.toLowerCase(), name }).onConflictDoNothing().returning({ id: user.id });
      if (row === undefined) return null;
      await tx.insert(account).values({ id: uuidv7(), userId: row.id, providerId: 'credential', accountId: row.id, password });
      return row.id;
    });
  }
}

interface RawPerson {
  id: string;
  name: string;
  email: string;
  emailVerified: boolean;
}

const personOf = ({ id, name, email, emailVerified }: RawPerson): Person => ({ id, name, email, emailVerified });

/**
 * What Better Auth sees of a request. A browser says where a page comes from whenever it sends cookies to a foreign server; a program that says
 * nothing of it is no browser, and speaks for itself.
 */
function headersOf({ headers, address }: Visitor, publicUrl: string): Headers {
  const passed = new Headers();
  for (const name of forwarded) {
    const value = headers[name];
    if (typeof value === 'string') passed.set(name, value);
  }
  if (!['origin', 'referer', 'sec-fetch-site'].some((name) => passed.has(name))) passed.set('origin', new URL(publicUrl).origin);
  passed.set(addressHeader, address);
  return passed;
}

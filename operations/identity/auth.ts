import { betterAuth } from 'better-auth';
import { drizzleAdapter } from 'better-auth/adapters/drizzle';
import { APIError } from 'better-auth/api';
import { genericOAuth } from 'better-auth/plugins/generic-oauth';
import { v7 as uuidv7 } from 'uuid';
import type { IdentityDb } from '../../db/identity.ts';
import { account, rateLimit, session, user, verification } from '../../db/schema/index.ts';
import type { Log } from '../deps.ts';
import { addressHeader, authPath, oidcProvider, trustedOrigins } from './paths.ts';

/** An identity provider that speaks OpenID Connect. */
export interface OidcOptions {
  /** Its issuer; its description is fetched from `/.well-known/openid-configuration` below it. */
  issuer: string;
  clientId: string;
  clientSecret: string;
}

export interface AuthOptions {
  db: IdentityDb;
  /** Signs cookies. */
  secret: string;
  /** Absolute, without a trailing slash. */
  publicUrl: string;
  oidc: OidcOptions | null;
  log: Log;
  /** Sends the token of a link to a new password; must not keep anybody waiting, or the time would show who has an account. null: nobody can ask for one. */
  onPasswordToken: ((email: string, token: string) => void) | null;
  /** Whether somebody with this address may get an account. */
  isExpected(email: string): Promise<boolean>;
}

const days = 24 * 3_600;

/** Better Auth as we use it: people with a password or an identity provider, sessions and attempts in Postgres. Nobody signs up by themselves. */
export function createAuth({ db, secret, publicUrl, oidc, log, isExpected, onPasswordToken }: AuthOptions) {
  return betterAuth({
    appName: 'Rekindle',
    baseURL: publicUrl,
    basePath: authPath,
    secret,
    trustedOrigins: trustedOrigins(publicUrl),
    database: drizzleAdapter(db, { provider: 'pg', schema: { user, session, account, verification, rateLimit }, transaction: true }),
    emailAndPassword: {
      enabled: true,
      // An account is made by accepting an invitation.
      disableSignUp: true,
      minPasswordLength: 10,
      maxPasswordLength: 200,
      revokeSessionsOnPasswordReset: true,
      resetPasswordTokenExpiresIn: 3_600,
      ...(onPasswordToken === null
        ? {}
        : {
            sendResetPassword: async ({ user: { email }, token }: { user: { email: string }; token: string }) => onPasswordToken(email, token),
          }),
    },
    session: { expiresIn: 7 * days, updateAge: 1 * days },
    verification: { storeIdentifier: 'hashed' },
    // A password account whose address nobody has proven is not joined to an account of the identity provider: whoever made it would keep the way in.
    account: { accountLinking: { enabled: true, requireLocalEmailVerified: true }, encryptOAuthTokens: true },
    rateLimit: {
      enabled: true,
      storage: 'database',
      window: 60,
      max: 100,
      // Generous: behind a proxy all people have one address. Guessing one person's password is held up by `throttle.ts`; this only bounds the cost of hashing.
      customRules: {
        '/sign-in/email': { window: 60, max: 200 },
        '/sign-in/social': { window: 60, max: 200 },
        '/reset-password': { window: 60, max: 60 },
        '/request-password-reset': { window: 60, max: 60 },
        '/change-password': { window: 60, max: 60 },
        '/get-session': false,
      },
    },
    databaseHooks: {
      user: {
        create: {
          before: async ({ email }) => {
            if (!(await isExpected(email.toLowerCase())))
              throw new APIError('FORBIDDEN', { code: 'NOT_INVITED', message: 'No store of this installation has invited this address.' });
          },
        },
      },
    },
    plugins:
      oidc === null
        ? []
        : [
            genericOAuth({
              config: [
                {
                  providerId: oidcProvider,
                  discoveryUrl: `${oidc.issuer.replace(/\/+$/, '')}/.well-known/openid-configuration`,
                  requireIdTokenVerification: true,
                  clientId: oidc.clientId,
                  clientSecret: oidc.clientSecret,
                  scopes: ['openid', 'email', 'profile'],
                  pkce: true,
                },
              ],
            }),
          ],
    advanced: {
      cookiePrefix: 'rekindle',
      // Off by default where NODE_ENV is test.
      disableCSRFCheck: false,
      disableOriginCheck: false,
      useSecureCookies: publicUrl.startsWith('https:'),
      database: { generateId: () => uuidv7() },
      // Set by ourselves, from the connection.
      ipAddress: { ipAddressHeaders: [addressHeader] },
    },
    telemetry: { enabled: false },
    // What it says of its own may hold addresses: only that something failed is written down.
    logger: { level: 'error', log: (level) => log.warn({ level }, 'a sign-in could not be carried out') },
  });
}

export type Auth = ReturnType<typeof createAuth>;

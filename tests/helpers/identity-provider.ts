import { createSign, generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Somebody with an account at the identity provider. */
export interface ProviderAccount {
  sub: string;
  email: string;
  email_verified: boolean;
  name: string;
}

/** An identity provider that speaks OpenID Connect: discovery, keys, authorization code with PKCE, signed id tokens. */
export interface IdentityProvider {
  options: { issuer: string; clientId: string; clientSecret: string };
  /** A browser goes to the address of the sign-in, and this person agrees there. @returns the address to which the browser is sent back */
  consent(url: string, account: ProviderAccount): string;
  close(): Promise<void>;
}

const base64 = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

export async function startIdentityProvider(): Promise<IdentityProvider> {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const [clientId, clientSecret] = ['rekindle-example', 'an-invented-secret'];
  const codes = new Map<string, { account: ProviderAccount; nonce: string | null }>();
  const tokens = new Map<string, ProviderAccount>();
  const server = createServer((req, res) => {
    const send = (status: number, body: object) => res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      switch (req.url) {
        case '/.well-known/openid-configuration':
          return void send(200, {
            ...{ issuer, authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token`, userinfo_endpoint: `${issuer}/me` },
            ...{ jwks_uri: `${issuer}/keys`, response_types_supported: ['code'], subject_types_supported: ['public'] },
            id_token_signing_alg_values_supported: ['RS256'],
            token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'],
          });
        case '/keys':
          return void send(200, { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'one', use: 'sig', alg: 'RS256' }] });
        case '/me': {
          const account = tokens.get(/^Bearer (.+)$/.exec(req.headers.authorization ?? '')?.[1] ?? '');
          return void (account === undefined ? send(401, {}) : send(200, account));
        }
        case '/token': {
          const form = new URLSearchParams(Buffer.concat(chunks).toString());
          const code = form.get('code') ?? '';
          const basic = Buffer.from(/^Basic (.+)$/.exec(req.headers.authorization ?? '')?.[1] ?? '', 'base64').toString();
          const isClient = basic === `${clientId}:${clientSecret}` || form.get('client_secret') === clientSecret;
          const found = codes.get(code);
          codes.delete(code);
          if (!isClient || found === undefined || form.get('code_verifier') === null) return void send(400, { error: 'invalid_grant' });
          const access = randomUUID();
          tokens.set(access, found.account);
          return void send(200, { access_token: access, token_type: 'Bearer', expires_in: 300, id_token: idToken(found) });
        }
        default:
          return void send(404, {});
      }
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  function idToken({ account, nonce }: { account: ProviderAccount; nonce: string | null }): string {
    const now = Math.floor(Date.now() / 1_000);
    const claims = { ...account, iss: issuer, aud: clientId, iat: now, exp: now + 300, ...(nonce === null ? {} : { nonce }) };
    const signed = `${base64({ alg: 'RS256', kid: 'one', typ: 'JWT' })}.${base64(claims)}`;
    return `${signed}.${createSign('RSA-SHA256').update(signed).sign(privateKey).toString('base64url')}`;
  }

  return {
    options: { issuer, clientId, clientSecret },
    consent(url, account) {
      const asked = new URL(url).searchParams;
      const code = randomUUID();
      codes.set(code, { account, nonce: asked.get('nonce') });
      const back = new URL(asked.get('redirect_uri') ?? '');
      back.searchParams.set('code', code);
      back.searchParams.set('state', asked.get('state') ?? '');
      return back.toString();
    },
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

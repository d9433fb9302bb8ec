import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A token server whose refresh tokens count once, as HighLevel's do. */
export interface OAuthServer {
  port: number;
  /** What it was asked for, in order: a kind of grant, or `reconnect`. */
  asked: string[];
  /** The access token that counts now. */
  accessToken(): string;
  /** What somebody's consent leads to. */
  newCode(): string;
  /** From now on the location lets the app in no more. */
  uninstall(): void;
  /** Called when new tokens count, and before they are answered. */
  onGranted: () => void | Promise<void>;
  close(): Promise<void>;
}

export const client = { clientId: 'an-invented-client', clientSecret: 'an-invented-secret' };

export async function startOAuthServer(locationId: string, lifeS = 86_399): Promise<OAuthServer> {
  let generation = 0;
  let code: string | null = null;
  let installed = true;
  const asked: string[] = [];
  const state: Pick<OAuthServer, 'onGranted'> = { onGranted: () => undefined };
  const newCode = () => (code = `code-${++generation}`);
  const grant = () => {
    generation += 1;
    return {
      ...{ access_token: `access-${generation}`, token_type: 'Bearer', expires_in: lifeS, refresh_token: `refresh-${generation}` },
      ...{ userType: 'Location', locationId, companyId: 'com_0001' },
    };
  };
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => void answer(Buffer.concat(chunks).toString()));
    const send = (status: number, body: object) => res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    async function answer(body: string): Promise<void> {
      if (req.url === '/oauth/reconnect') {
        asked.push('reconnect');
        const { clientKey, clientSecret, locationId: of } = JSON.parse(body) as Record<string, string>;
        const isOurs = installed && clientKey === client.clientId && clientSecret === client.clientSecret && of === locationId;
        return void send(isOurs ? 200 : 400, isOurs ? { authorizationCode: newCode() } : { error: 'not_installed' });
      }
      const form = new URLSearchParams(body);
      const kind = form.get('grant_type') ?? '';
      asked.push(kind);
      const isClient = form.get('client_id') === client.clientId && form.get('client_secret') === client.clientSecret;
      const counts = kind === 'refresh_token' ? form.get('refresh_token') === `refresh-${generation}` : code !== null && form.get('code') === code;
      if (!installed || !isClient || !counts) return void send(400, { error: 'invalid_grant', error_description: 'This refresh token is invalid' });
      code = null;
      const tokens = grant();
      await state.onGranted();
      if (!res.destroyed) send(200, tokens);
    }
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return Object.assign(state, {
    port: (server.address() as AddressInfo).port,
    asked,
    accessToken: () => `access-${generation}`,
    newCode,
    uninstall: () => void (installed = false),
    async close() {
      server.closeAllConnections();
      await new Promise<void>((done) => server.close(() => done()));
    },
  });
}

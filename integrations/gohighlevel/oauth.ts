import { outboundFetch } from '../http/outbound.ts';
import { answerFields } from '../http/answer-fields.ts';
import type { Granted, OAuth } from '../port.ts';
import { cleanText } from '../untrusted-text.ts';
import { type GoHighLevelConfig, goHighLevelConfig, urlOf } from './config.ts';

const timeoutMs = 10_000;
/** HighLevel's access tokens live for a day. */
const usualLifeS = 86_399;
const longestLifeS = 30 * 86_400;

type App = NonNullable<GoHighLevelConfig['app']>;

/**
 * How an app is let into a location. A refresh token counts once: with each renewal comes another one. Where that was lost, whoever has the app's secret gets
 * a code for new tokens (`reconnect`), without anybody's consent being asked again.
 * Source: marketplace.gohighlevel.com/docs/ghl/oauth/get-access-token; help.gohighlevel.com/support/solutions/articles/155000003717
 */
export const goHighLevelOAuth: OAuth = {
  applies: (config) => goHighLevelConfig.parse(config).app !== undefined,
  grantedFor(config) {
    const { app, locationId } = goHighLevelConfig.parse(config);
    return `${app?.clientId ?? ''} ${locationId}`;
  },
  exchange: (config, code, redirectUri) => withApp(config, (parsed, app) => exchangeCode(parsed, app, code, redirectUri)),
  refresh: (config, refreshToken) =>
    withApp(config, (parsed, app) => askForTokens(parsed, app, { grant_type: 'refresh_token', refresh_token: refreshToken })),
  recover: (config) => withApp(config, reconnect),
};

function withApp(config: unknown, work: (config: GoHighLevelConfig, app: App) => Promise<Granted>): Promise<Granted> {
  const parsed = goHighLevelConfig.parse(config);
  if (parsed.app === undefined) return Promise.resolve({ kind: 'refused', reason: 'the connection has a token of its own and no app' });
  return work(parsed, parsed.app);
}

function exchangeCode(config: GoHighLevelConfig, app: App, code: string, redirectUri: string | null): Promise<Granted> {
  const redirect: Record<string, string> = redirectUri === null ? {} : { redirect_uri: redirectUri };
  return askForTokens(config, app, { grant_type: 'authorization_code', code, ...redirect });
}

async function reconnect(config: GoHighLevelConfig, app: App): Promise<Granted> {
  const body = JSON.stringify({ clientKey: app.clientId, clientSecret: app.clientSecret, locationId: config.locationId });
  const answer = await post(urlOf(config, '/oauth/reconnect'), 'application/json', body);
  if ('kind' in answer) return answer;
  const code = cleanText(answer.fields['authorizationCode'], 2_000);
  return code === null ? { kind: 'no_answer', reason: 'the answer to a reconnection has no code' } : exchangeCode(config, app, code, null);
}

async function askForTokens(config: GoHighLevelConfig, app: App, grant: Record<string, string>): Promise<Granted> {
  const form = new URLSearchParams({ client_id: app.clientId, client_secret: app.clientSecret, user_type: 'Location', ...grant });
  const answer = await post(urlOf(config, '/oauth/token'), 'application/x-www-form-urlencoded', form.toString());
  if ('kind' in answer) return answer;
  const { access_token: accessToken, refresh_token: refreshToken, expires_in: expiresIn, locationId } = answer.fields;
  // One code may belong to another location of the same app: its tokens would send there.
  if (locationId !== config.locationId) return { kind: 'refused', reason: 'the authorisation is for another location than the connection’s' };
  if (typeof accessToken !== 'string' || typeof refreshToken !== 'string' || accessToken === '' || refreshToken === '')
    return { kind: 'no_answer', reason: 'the answer has no tokens' };
  const lifeS = typeof expiresIn === 'number' && expiresIn > 0 && expiresIn < longestLifeS ? expiresIn : usualLifeS;
  return { kind: 'granted', tokens: { accessToken, refreshToken, expiresInMs: lifeS * 1_000 } };
}

async function post(
  url: URL,
  contentType: string,
  body: string,
): Promise<{ fields: Readonly<Record<string, unknown>> } | Exclude<Granted, { kind: 'granted' }>> {
  try {
    const response = await outboundFetch(url, {
      method: 'POST',
      headers: { 'content-type': contentType, accept: 'application/json', version: 'v3' },
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    const fields = answerFields(await response.text());
    if (response.ok) return { fields };
    const why = cleanText(fields['error_description'] ?? fields['error'] ?? fields['message'], 100);
    const reason = `HTTP ${response.status}${why === null ? '' : `, ${why}`}`;
    return { kind: [400, 401, 403, 404, 422].includes(response.status) ? 'refused' : 'no_answer', reason };
  } catch (error) {
    // The message of a failed fetch may hold what was sent.
    return { kind: 'no_answer', reason: error instanceof Error && error.name === 'TimeoutError' ? 'no answer in time' : 'no connection' };
  }
}

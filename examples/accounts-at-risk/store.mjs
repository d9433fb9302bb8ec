// What the examples share: a store that runs here (`npm start`), or REKINDLE_URL with REKINDLE_API_KEY.
import { readFileSync } from 'node:fs';

const local = () => JSON.parse(readFileSync(new URL('../../.rekindle/credentials.json', import.meta.url), 'utf8'));
const url = process.env['REKINDLE_URL'] ?? 'http://localhost:3000';
const key = process.env['REKINDLE_API_KEY'] ?? local().apiKey;

/** Ask the API. @throws with what is wrong, as the API says it */
export async function ask(path, method = 'GET', body) {
  const headers = { authorization: `Bearer ${key}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
  const response = await fetch(new URL(path, url), { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  const answer = await response.json();
  if (!response.ok) throw new Error(`${method} ${path}: ${answer.detail ?? answer.title}`);
  return answer;
}

const daysAgo = (days) => new Date(Date.now() - days * 86_400_000).toISOString();

/** An invented customer who visited and bought on these days ago. @returns the account's id */
export async function aCustomer({ visits, orders = [] }) {
  const id = `example-${crypto.randomUUID()}`;
  const behaviour = [
    ...visits.map((days) => ({ kind: 'visit', at: daysAgo(days) })),
    ...orders.map((days) => ({ kind: 'order', amount: '184.00', currency: 'EUR', at: daysAgo(days) })),
  ];
  const { account } = await ask('/api/behaviour', 'POST', { account: { id }, contact: { email: `${id}@example.com`, first_name: 'Kim' }, behaviour });
  return { id, account };
}

/** Move the borders of the bands below a score, so that an example does not depend on how its customer ranks. @returns a function that moves them back */
export async function withBandsAt(bands) {
  const { settings } = await ask('/api/settings');
  await ask('/api/settings', 'PATCH', { settings: { riskBands: bands } });
  return () => ask('/api/settings', 'PATCH', { settings: { riskBands: settings.riskBands } });
}

/** The sequences of the bands take nobody in until they are resumed. */
export async function resumeSequences() {
  for (const slug of ['churn-early', 'churn-active', 'churn-critical']) await ask(`/api/sequences/${slug}/resume`, 'POST', {});
}

export const money = (amounts) => (amounts === null ? 'unknown' : amounts.map(({ amount, currency }) => `${amount} ${currency}`).join(' + ') || '0');

import type { LocalSettings } from './settings.ts';

/** What `npm start` prints when everything runs: where things are, and what to try. */
export function readyText(run: {
  settings: LocalSettings;
  apiUrl: string;
  mailboxUrl: string | null;
  /** The page with the texts; null: there is no demo store. */
  phoneUrl: string | null;
  /** The stand-ins for the providers of leads; null: there are none. */
  providersUrl: string | null;
  temporal: { address: string; uiUrl: string | null };
  /** Where the worker serves its figures. */
  metricsPort: number;
  /** The demo shop's pages; null: there is no demo store. */
  shopUrl: string | null;
}): string {
  const { settings } = run;
  const rows: [string, string][] = [
    ['Live story', `${run.apiUrl}/`],
    ['Dashboard', `${run.apiUrl}/app   npx rekindle members invite you@example.com owner   lets you in`],
    ['Emails', run.mailboxUrl ?? 'go to SMTP_URL'],
    ...(run.phoneUrl === null ? [] : [['Texts', run.phoneUrl] satisfies [string, string]]),
    ...(run.providersUrl === null
      ? []
      : [['Stand-ins', `${run.providersUrl}/   lead ads, calls, chats and a CRM: answer as the people would`] satisfies [string, string]]),
    ...(run.shopUrl === null ? [] : [['Demo shop', `${run.shopUrl}/   leave a cart, and see the pop-up`] satisfies [string, string]]),
    ['Temporal Web UI', run.temporal.uiUrl ?? 'of TEMPORAL_ADDRESS'],
    ['API', `${run.apiUrl}/openapi.json   key in .rekindle/credentials.json`],
    ['Temporal', run.temporal.address],
    ['Postgres', settings.databaseUrl === null ? `127.0.0.1:${settings.ports.postgres}   psql "$(cat .rekindle/postgres.url)"` : 'DATABASE_URL'],
    ['Figures', `${run.apiUrl}/metrics of the API, http://localhost:${run.metricsPort}/metrics of the worker`],
    ['Logs', '.rekindle/logs/'],
  ];
  const scale = settings.timeScale;
  const pace = scale === null ? 'in real time' : `an hour in ${round(3600 / scale)} s`;
  const tries: [string, string][] = [
    [`a cart of your own, ${pace}`, 'npm run send -- cart.updated --email you@example.com --value 129.90'],
    ['… and buy it', 'npm run send -- order.placed --email you@example.com'],
    ...(scale === null
      ? [['72 hours in 72 s', 'Ctrl-C, then REKINDLE_TIME_SCALE=3600 npm start: for carts that you send from then on'] satisfies [string, string]]
      : []),
    ['begin anew', 'npm start -- --fresh'],
  ];
  return [
    '',
    'Rekindle is ready',
    '',
    ...table(rows),
    '',
    run.shopUrl !== null
      ? 'Synthetic shoppers and leads are at work in two demo stores, an hour of theirs in a second: the first emails come within half a minute.'
      : 'No synthetic shoppers this time.',
    'Try next',
    ...table(tries),
    '',
    'Ctrl-C stops everything in order; npm start resumes all running sequences.',
    '',
  ].join('\n');
}

function table(rows: readonly [string, string][]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}

function round(seconds: number): string {
  return seconds >= 10 ? String(Math.round(seconds)) : seconds.toPrecision(2).replace(/\.0$/, '');
}

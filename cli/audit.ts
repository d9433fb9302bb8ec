import { asGiven, type Command, type Row, shown, UsageError } from './command.ts';

const usual = 50;

/** Who changed what. */
export const audit: Command = {
  summary: 'who changed what, the latest first',
  usage: `rekindle audit [--action <action>] [--actor <actor>] [--subject <id>] [--since <date>] [--request <id>] [--limit <n>]

--action    one, such as connection.change, or all about a thing: connection.
--actor     api_key:<id>, installation_key, temporal, or the name of a tool
--subject   the id of what it was done to
--request   what one request did, by its X-Request-Id
--limit     how many at most; default ${usual}

It needs the role admin.`,
  options: {
    action: { type: 'string' },
    actor: { type: 'string' },
    subject: { type: 'string' },
    since: { type: 'string' },
    request: { type: 'string' },
    limit: { type: 'string' },
  },
  example: 'rekindle audit --action connection. --since 2026-11-01',
  takes: 0,
  async run({ store, options }) {
    const { action, actor, subject, since, request: request_id } = options;
    const most = options['limit'] === undefined ? usual : Number(options['limit']);
    if (!Number.isInteger(most) || most < 1) throw new UsageError('--limit is a whole number, such as 50.');
    const sinceMs = since === undefined ? null : Date.parse(String(since));
    if (sinceMs !== null && Number.isNaN(sinceMs)) throw new UsageError('--since is a date, such as 2026-11-01.');
    const data: Row[] = [];
    const entries = store.audit.all(
      asGiven({
        action,
        actor,
        subject,
        request_id,
        ...(sinceMs === null ? {} : { since: new Date(sinceMs).toISOString() }),
        limit: Math.min(500, most),
      }),
    );
    for await (const entry of entries) if (data.push(entry) >= most) break;
    return { data, lines: data.length === 0 ? ['Nothing was changed by hand.'] : data.map(line) };
  },
};

function line(entry: Row): string {
  const who = entry['key_name'] === null ? shown(entry['actor']) : `key “${shown(entry['key_name'])}”`;
  const what = Object.keys((entry['data'] ?? {}) as Row).length === 0 ? '' : `  ${shown(entry['data'])}`;
  return `${shown(entry['at'])}  ${shown(entry['action']).padEnd(22)}  ${who}${entry['subject'] === null ? '' : `  ${shown(entry['subject'])}`}${what}`;
}

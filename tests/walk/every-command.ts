import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { signShopify } from '../../integrations/shopify/sign.ts';
import { CommandLine } from './command-line.ts';

/** What the walk needs beside the server that the environment names. */
export interface Surroundings {
  apiUrl: string;
  /** Takes webhooks, and answers 200. */
  hook: string;
  /** Who is invited becomes a member: as the person would, by the link. @returns when they are one */
  accept(link: string): Promise<void>;
  /** Says which command is next. */
  say(line: string): void;
}

type Row = Record<string, unknown>;
type Identified = Row & { id: string };

/**
 * Every command of the command line against a running server with a worker, for people and as JSON: what it makes, the next one reads.
 * Nothing is there but a new store; what is made has names of its own, so that the walk can be repeated. @throws at the first command that does not do what it says
 */
export async function walkEveryCommand({ apiUrl, hook, accept, say }: Surroundings): Promise<CommandLine> {
  const folder = mkdtempSync(join(tmpdir(), 'rekindle-walk-'));
  try {
    const cli = new CommandLine();
    const walk: Walk = { cli, apiUrl, hook, accept, folder, run: randomBytes(3).toString('hex') };
    for (const part of parts) {
      say(part.name);
      await part(walk);
    }
    return cli;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

interface Walk extends Pick<Surroundings, 'apiUrl' | 'hook' | 'accept'> {
  cli: CommandLine;
  folder: string;
  /** Is in every name that this walk makes up. */
  run: string;
}

const nobody = '01920000-0000-7000-8000-000000000000';
const parts: ((walk: Walk) => Promise<void>)[] = [
  installation,
  settings,
  keysAndMembers,
  connections,
  carts,
  oneEnrollment,
  manyEnrollments,
  people,
  sequences,
  beforeSending,
  leads,
  accounts,
  webhooks,
  whatWaits,
  figures,
  byThemselves,
];

function fileOf({ folder }: Walk, name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

/** @throws after half a minute, with the state that it was in */
async function until<T>(what: string, look: () => Promise<T | null | undefined | false>): Promise<T> {
  for (const end = Date.now() + 30_000; ; await setTimeout(50)) {
    const found = await look();
    if (found !== null && found !== undefined && found !== false) return found;
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
  }
}

async function installation({ cli, run }: Walk): Promise<void> {
  await cli.found([0, 1], 'status');
  await cli.both('tenants');
  await cli.both('tenants', 'list');
  await cli.human('tenants', 'create', `walk-${run}-a`, '--name', 'One');
  await cli.json('tenants', 'create', `walk-${run}-b`, '--name', 'Another');
  await cli.human('tenants', 'issue', `walk-${run}-a`, '--name', 'Till');
  await cli.json('tenants', 'issue', `walk-${run}-a`, '--name', 'Desk');
  const issued = await cli.both<Identified[]>('tenants', 'keys', `walk-${run}-a`);
  if (issued.length !== 3) throw new Error(`the store has ${issued.length} keys, not 3`);
  await cli.human('tenants', 'revoke', `walk-${run}-a`, issued[0]?.id ?? '', '--yes');
  await cli.json('tenants', 'revoke', `walk-${run}-a`, issued[1]?.id ?? '', '--yes');
  await cli.both('keys', 'master');
  await cli.both('keys', 'rotate-master');
  await cli.wrong('tenants', 'abandon');
}

async function settings(walk: Walk): Promise<void> {
  const { cli } = walk;
  const wanted = ['quietHours=null', 'legalHours=false', 'caps=[]', 'postalAddress="1 Example Street, 1010 Vienna"', 'locale=en', 'currency=EUR'];
  await cli.both('settings', 'set', ...wanted);
  await cli.both('settings');
  await cli.both('settings', 'show');
  await cli.both('settings', 'history');
  for (const mode of ['human', 'json'] as const) {
    const recovery = await cli.both('settings', 'recovery');
    await cli[mode]('settings', 'recovery', fileOf(walk, 'recovery.json', JSON.stringify(recovery)));
  }
  await cli.refused('invalid_request', 'settings', 'set', 'currency=many');
}

async function keysAndMembers({ cli, accept, run }: Walk): Promise<void> {
  await cli.both('keys');
  await cli.human('keys', 'issue', `till ${run}`, '--role', 'agent');
  const key = await cli.json<Identified>('keys', 'issue', `desk ${run}`, '--role', 'viewer', '--expires', '2099-01-01', '--per-minute', '60');
  await cli.human('keys', 'rotate', key.id, '--overlap-hours', '1');
  const rotated = await cli.json<Identified>('keys', 'rotate', key.id);
  await cli.human('keys', 'revoke', rotated.id, '--yes');
  await cli.json('keys', 'revoke', key.id, '--yes');
  await cli.refused('unknown_key', 'keys', 'revoke', nobody, '--yes');
  const invitations: { id: string; url: string }[] = [];
  await cli.human('members', 'invite', `ada-${run}@example.com`, 'editor');
  for (const name of ['bea', 'cleo', 'dora']) invitations.push(await cli.json('members', 'invite', `${name}-${run}@example.com`, 'viewer'));
  const open = await cli.both<(Identified & { email: string })[]>('members', 'invitations');
  await cli.human('members', 'uninvite', open.find(({ email }) => email === `ada-${run}@example.com`)?.id ?? '');
  await cli.json('members', 'uninvite', invitations[2]?.id ?? '');
  for (const { url } of invitations.slice(0, 2)) await accept(url);
  const members = (await cli.both<(Identified & { email: string })[]>('members')).filter(({ email }) => email.includes(run));
  if (members.length !== 2) throw new Error(`${members.length} people are members, not 2`);
  const [first = '', second = ''] = members.map(({ id }) => id);
  await cli.both('members', 'role', first, 'agent');
  await cli.both('people', 'password-link', `bea-${run}@example.com`);
  await cli.human('members', 'remove', first, '--yes');
  await cli.json('members', 'remove', second, '--yes');
  await cli.human('people', 'remove', `bea-${run}@example.com`, '--yes');
  await cli.json('people', 'remove', `cleo-${run}@example.com`, '--yes');
}

async function connections({ cli, run }: Walk): Promise<void> {
  await cli.both('connections');
  await cli.both('connections', 'list');
  await cli.human('connections', 'create', 'generic', '--name', `first ${run}`);
  const { id } = await cli.json<Identified>('connections', 'create', 'generic', '--name', `second ${run}`);
  await cli.both('connections', 'change', id, '--name', `renamed ${run}`);
  await cli.both('connections', 'rotate', id);
  await cli.both('connections', 'retire', id);
  await cli.both('connections', 'check', id);
  // An app of theirs is let in by its provider's page; this connection has none.
  await cli.refused('invalid_request', 'connections', 'authorise', id, '--code', 'code');
  await cli.human('connections', 'remove', id, '--yes');
  const shopify = await cli.json<Identified>('connections', 'create', 'shopify', '--name', `shop ${run}`, '--secret', `shpss_${run}`);
  await cli.json('connections', 'remove', shopify.id, '--yes');
}

const ofCart = (run: string, name: string) => ['--email', `${name}-${run}@example.com`, '--cart', `${name}-${run}`];

/** @returns the enrollment of a cart that was just left, when its workflow can be asked */
async function leftCart({ cli, run }: Walk, name: string): Promise<string> {
  await cli.human('send', 'cart.updated', ...ofCart(run, name), '--value', '129.90');
  const enrollment = await until(`the cart ${name} to be in its sequence`, async () => {
    const [found] = await cli.json<Identified[]>('enrollments', 'list', '--email', `${name}-${run}@example.com`);
    return found;
  });
  return enrollment.id;
}

async function carts(walk: Walk): Promise<void> {
  const { cli, run } = walk;
  await cli.both('send', 'cart.updated', ...ofCart(run, 'buyer'), '--value', '129.90');
  await cli.json('send', 'cart.updated', ...ofCart(run, 'buyer'), '--dry-run');
  await cli.both('explain', '--email', `buyer-${run}@example.com`);
  await cli.both('explain', '--external-id', `buyer-${run}`, '--gates');
  await cli.both('send', 'order.placed', ...ofCart(run, 'buyer'), '--value', '129.90');
  // It was bought before it counted as abandoned. On a busy machine deliveries are stored first, and applied a little later.
  await until('the order to end the cart', async () => {
    const [bought] = await cli.json<Row[]>('enrollments', 'list', '--email', `buyer-${run}@example.com`);
    return bought?.['status'] === 'EXITED';
  });
  const [before] = [await cli.both<{ cursor: string }>('events', 'since')];
  const optedOut = JSON.stringify({ contact: { email: `leaver-${run}@example.com` }, channel: 'email' });
  await cli.both('events', 'send', 'contact.opted_out', '--data', optedOut, '--id', `optout-${run}`);
  const since = await cli.both<{ events: Row[] }>('events', 'since', before.cursor, '--personal-data');
  if (!JSON.stringify(since.events).includes('opted_out')) throw new Error('the opt-out is not among what has happened since');
  const suppressed = await cli.both<Identified[]>('suppressions', '--email', `leaver-${run}@example.com`);
  // Only the person takes an opt-out back.
  await cli.refused('not_liftable', 'suppressions', 'lift', suppressed[0]?.id ?? '');
  await cli.found([1], 'explain', nobody);
}

async function oneEnrollment(walk: Walk): Promise<void> {
  const { cli, run } = walk;
  await cli.refused('unknown_enrollment', 'pause', nobody);
  const id = await leftCart(walk, 'held');
  await cli.both('snooze', id, '--hours', '3');
  await cli.both('pause', id);
  await cli.both('resume', id);
  await cli.both('takeover', id);
  await cli.both('release', id);
  await cli.both('move', id, '--step', 'email_24h');
  await cli.human('skip', id, '--step', 'email_24h');
  await cli.json('skip', id);
  await cli.both('send-now', await leftCart(walk, 'hurried'));
  await cli.both('stop', id, '--reason', 'asked us to');
  await cli.refused('ended', 'pause', id);
  await stopped(walk, 'by-hand');
  await cli.both('enroll', 'cart', '--email', `by-hand-${run}@example.com`, '--key', `by-hand-${run}`);
  await cli.human('re-enroll', id, '--note', 'asked for it');
  await cli.json('re-enroll', await stopped(walk, 'again'), '--key', `again-${run}`);
  await cli.wrong('snooze', id, 'too', 'much');
}

async function stopped(walk: Walk, name: string): Promise<string> {
  const id = await leftCart(walk, name);
  await walk.cli.json('stop', id);
  return id;
}

async function manyEnrollments(walk: Walk): Promise<void> {
  const { cli, run } = walk;
  await leftCart(walk, 'many');
  const filter = ['--email', `many-${run}@example.com`];
  await cli.both('enrollments', 'list', ...filter);
  await cli.wrong('enrollments', 'pause', ...filter);
  await cli.both('enrollments', 'pause', ...filter, '--dry-run');
  for (const action of ['pause', 'resume', 'move', 'stop']) {
    const begun = await cli.json<Identified>('enrollments', action, ...filter, '--yes');
    const over = await cli.both('enrollments', 'show', begun.id, '--watch');
    if (over['state'] !== 'done') throw new Error(`${action} of many is ${String(over['state'])}`);
    await cli.human('enrollments', action, ...filter, '--yes', '--watch');
    if (action === 'stop') await cli.refused('wrong_state', 'enrollments', 'cancel', begun.id);
  }
  await cli.both('enrollments', 'actions');
}

async function people(walk: Walk): Promise<void> {
  const { cli, run, folder } = walk;
  await cli.both('contacts', '--email', `buyer-${run}@example.com`);
  const idOf = async (name: string) => {
    const [contact] = await cli.json<Identified[]>('contacts', '--email', `${name}-${run}@example.com`);
    return contact?.id ?? '';
  };
  const [buyer, hurried] = [await idOf('buyer'), await idOf('hurried')];
  await cli.both('contacts', 'show', buyer);
  await cli.both('contacts', 'timeline', buyer);
  await cli.both('contacts', 'consent', buyer, '--channel', 'email', '--state', 'granted', '--wording', 'Yes, please');
  await cli.human('contacts', 'merge', buyer, '--with', hurried, '--note', 'the same person');
  await cli.both('contacts', 'merges');
  await cli.human('contacts', 'unmerge', buyer);
  // A merge that was undone is not made again.
  await cli.refused('kept_apart', 'contacts', 'merge', buyer, '--with', hurried);
  const [held, again] = [await idOf('held'), await idOf('again')];
  await cli.json('contacts', 'merge', held, '--with', again);
  await cli.json('contacts', 'unmerge', held);
  await cli.both('contacts', 'export', buyer, '--to', join(folder, 'export.json'));
  await cli.both('erase', buyer, '--dry-run');
  await cli.human('erase', buyer, '--yes');
  await cli.json('erase', hurried, '--yes', '--no-wait');
  await cli.human('contacts', 'erase', held, '--yes');
  await cli.json('contacts', 'erase', again, '--yes');
  await until('the erasures', async () => (await cli.json<Row[]>('erasures', '--state', 'running')).length === 0);
  const receipts = (await cli.both<Row[]>('erasures')).filter(({ contact }) => [buyer, hurried, held, again].includes(String(contact)));
  const left = receipts.filter(({ state }) => state !== 'done');
  if (receipts.length !== 4 || left.length > 0) throw new Error(`something was found after an erasure: ${JSON.stringify(left)}`);
  await cli.both('retention', 'run', '--dry-run');
}

const sequenceFile = (run: string, name: string) => `sequence: walk-${run}
name: ${name}
on: manual
about: cart
steps:
  - { id: mark, at: 1h, channel: none }
`;

async function sequences(walk: Walk): Promise<void> {
  const { cli, run, folder } = walk;
  const slug = `walk-${run}`;
  const version = (name: string) => fileOf(walk, `${slug}.yaml`, sequenceFile(run, name));
  await cli.both('lint', version('First'));
  await cli.both('sequences', 'lint', version('First'));
  await cli.both('sequences', 'draft', version('First'));
  await cli.human('sequences', 'publish', slug);
  await cli.both('sequences', 'push', version('Second'), '--dry-run');
  await cli.both('sequences', 'push', version('Second'));
  await cli.both('sequences', 'diff', slug);
  await cli.human('sequences', 'shadow', slug, '--start');
  await cli.json('sequences', 'shadow', slug);
  await cli.human('sequences', 'shadow', slug, '--stop');
  await cli.json('sequences', 'publish', slug);
  await cli.human('sequences', 'rollback', slug, '--to', '1');
  await cli.json('sequences', 'rollback', slug, '--to', '2');
  await cli.json('sequences', 'draft', version('Third'));
  await cli.human('sequences', 'drop', slug, '--yes');
  await cli.json('sequences', 'draft', version('Fourth'));
  await cli.json('sequences', 'drop', slug, '--yes');
  await cli.both('sequences');
  await cli.both('sequences', 'list');
  await cli.both('sequences', 'show', slug);
  await cli.both('sequences', 'stats', 'cart');
  await cli.both('sequences', 'outcomes', 'cart');
  await cli.both('sequences', 'pull', join(folder, 'pulled'), slug, '--overwrite');
  for (const action of ['pause', 'resume', 'archive', 'unarchive']) await cli.both('sequences', action, slug);
  await cli.both('sequences', 'end', slug, '--note', 'over', '--yes');
  await cli.both('schema');
}

async function beforeSending({ cli, run }: Walk): Promise<void> {
  await cli.both('preview', 'cart', 'email_24h', '--locale', 'de');
  await cli.both('rehearse', 'cart', '--from', '2026-03-10T20:30');
  await cli.both('rehearse', 'cart', '--contact', `many-${run}@example.com`);
  await cli.both('send-test', 'cart', 'email_2h', '--to', `test-${run}@example.com`);
  await cli.both('backtest', 'cart', '--since', '30d');
}

async function leads(walk: Walk): Promise<void> {
  const { cli, run } = walk;
  await cli.human('campaigns', 'create', `flats ${run}`, '--sources', `fair-${run}`, '--sequence', 'lead-nurture');
  const campaign = await cli.json<Identified>(
    'campaigns',
    'create',
    `houses ${run}`,
    '--sources',
    `web-${run}`,
    '--max-leads',
    '100',
    '--sequence',
    'lead-nurture',
  );
  await cli.both('campaigns', 'list');
  await cli.both('campaigns', 'show', campaign.id);
  const csv = (name: string, rows: string[]) => fileOf(walk, `${name}.csv`, `email,Name\n${rows.join('\n')}\n`);
  const imported = await cli.json<Identified>('import', csv('one', [`lea-${run}@example.com,Lea`, 'nothing,Nobody']), '--source', `web-${run}`);
  if (imported['taken_in'] !== 1) throw new Error(`${String(imported['taken_in'])} rows were taken in, not 1`);
  await cli.human('import', csv('two', [`leo-${run}@example.com,Leo`]), '--source', `web-${run}`, '--column', 'Name=fullName');
  await cli.both('import', 'list');
  await cli.both('import', 'show', imported.id);
  await cli.both('import', 'errors', imported.id);
  await cli.refused('wrong_state', 'import', 'cancel', imported.id, '--yes');
  const inIt = await until('the lead to be in its campaign', async () => {
    const found = await cli.both<Row[]>('campaigns', 'leads', campaign.id);
    return found.length > 0 && found;
  });
  const lead = String(inIt[0]?.['lead'] ?? inIt[0]?.['id']);
  for (const mode of ['human', 'json'] as const) {
    const other = await cli.json<Identified>('campaigns', 'create', `more ${mode} ${run}`);
    await cli[mode]('campaigns', 'add', other.id, '--lead', lead);
    await cli[mode]('campaigns', 'pause', other.id);
    await cli[mode]('campaigns', 'resume', other.id);
    await cli[mode]('campaigns', 'end', other.id, '--yes');
  }
  await cli.both('campaigns', 'enroll', campaign.id, '--which', 'all');
  await scriptsAndTests(walk, campaign.id);
  await conversions(walk, lead);
  await inBulk(walk);
}

/** Scripts of a campaign, and a test that compares two of them. */
async function scriptsAndTests(walk: Walk, campaign: string): Promise<void> {
  const { cli, run } = walk;
  const text = fileOf(walk, 'second.sms.liquid', '{{ store.name }}: {{ link.url }} {{ optOut }}');
  await cli.human('scripts', 'create', `first-${run}`, '--channel', 'sms', '--file', text);
  const { id } = await cli.json<Identified>('scripts', 'create', `second-${run}`, '--channel', 'sms', '--file', text);
  await cli.both('scripts', 'list');
  await cli.both('scripts', 'show', id);
  await cli.both('scripts', 'change', id, '--file', text);
  const compared = ['--campaign', campaign, '--channel', 'sms', '--script', `A=first-${run}`, '--script', `B=second-${run}`];
  const test = await cli.json<Identified>('experiments', 'begin', ...compared);
  await cli.both('experiments');
  await cli.refused('no_suggestion', 'experiments', 'approve', test.id);
  await cli.human('experiments', 'stop', test.id);
  await cli.human('experiments', 'begin', ...compared, '--bandit');
  const other = (await cli.json<(Identified & Row)[]>('experiments')).find(({ status }) => status === 'RUNNING');
  await cli.json('experiments', 'stop', other?.id ?? '');
  await cli.refused('no_suggestion', 'experiments', 'dismiss', other?.id ?? '');
  for (const mode of ['human', 'json'] as const) {
    const one = await cli.json<Identified>('scripts', 'create', `short-${mode}-${run}`, '--channel', 'sms', '--file', text);
    await cli[mode]('scripts', 'delete', one.id, '--yes');
  }
}

async function conversions({ cli, run }: Walk, lead: string): Promise<void> {
  await cli.both('conversions', 'report', `click-${run}`, '--status', 'sale', '--payout', '30.50', '--currency', 'EUR', '--tid', `t-${run}`);
  const [unmatched] = await cli.both<Identified[]>('conversions', '--unmatched');
  await cli.both('conversions', 'list', '--outcome', 'sale');
  await cli.both('conversions', 'match', unmatched?.id ?? '', '--lead', lead);
}

async function inBulk({ cli }: Walk): Promise<void> {
  await cli.both('backtest', 'lead-nurture', '--since', '30d');
  for (const mode of ['human', 'json'] as const) {
    await cli[mode]('bulk', 'start', 'lead-nurture', '--per-day', '1', '--most', '1');
    const [job] = await cli.both<Identified[]>('bulk', 'list');
    await cli.both('bulk', 'show', job?.id ?? '');
    // It takes in at most one person, so it may be done by now.
    for (const action of ['pause', 'resume']) await cli.unlessLate('wrong_state', mode, 'bulk', action, job?.id ?? '');
    await cli.unlessLate('wrong_state', mode, 'bulk', 'cancel', job?.id ?? '', '--yes');
  }
}

async function accounts(walk: Walk): Promise<void> {
  const { cli, run } = walk;
  const day = (ago: number) => new Date(Date.now() - ago * 86_400_000).toISOString();
  // A customer who came every other day, and has stayed away for six weeks.
  const visits = [40, 42, 44, 46].map((ago) => ({ kind: 'visit', at: day(ago) }));
  const behaviour = [{ kind: 'order', at: day(364), amount: '365.00', currency: 'EUR' }, ...visits];
  const data = { account: { id: `bakery-${run}`, name: 'Lakeside Bakery' }, contact: { email: `bakery-${run}@example.com` }, behaviour };
  await cli.human('events', 'send', 'behaviour.reported', '--data', JSON.stringify(data));
  await cli.both('risk', 'assess', '--all', '--watch');
  const assessed = await cli.both<{ account: string }[]>('risk', 'list');
  const account = assessed[0]?.account ?? '';
  await cli.both('risk');
  await cli.both('risk', 'assess', account, '--fresh');
  for (const band of ['early', 'active', 'critical']) await cli.human('sequences', 'resume', `churn-${band}`);
  await cli.both('risk', 'intervene', account);
  const begun = await cli.both<Identified[]>('risk', 'interventions', account);
  await cli.both('risk', 'show', begun[0]?.id ?? '');
  for (const what of ['figures', 'caps', 'models']) await cli.both('risk', what);
  await cli.both('risk', 'rollout', '100');
  await cli.refused('unknown_model', 'risk', 'use', '7');
  await cli.both('risk', 'escalate', account, '--note', 'please call');
  await tasks(walk, account);
  await notifications(walk);
}

async function tasks({ cli }: Walk, account: string): Promise<void> {
  const [task] = await cli.both<Identified[]>('tasks');
  await cli.both('tasks', 'accept', task?.id ?? '', '--owner', 'Mia');
  await cli.both('tasks', 'reassign', task?.id ?? '', '--owner', 'Noah');
  await cli.both('tasks', 'snooze', task?.id ?? '', '--until', new Date(Date.now() + 3_600_000).toISOString());
  await cli.human('tasks', 'done', task?.id ?? '', '--result', 'called back');
  await cli.refused('task_closed', 'tasks', 'done', task?.id ?? '', '--result', 'once more');
  await cli.refused('task_closed', 'tasks', 'dismiss', task?.id ?? '');
  await cli.json('risk', 'escalate', account);
}

async function notifications(walk: Walk): Promise<void> {
  const { cli, hook, run } = walk;
  await cli.both('notifications');
  await cli.both('notifications', 'list');
  await cli.human('notifications', 'add', 'email', `noah-${run}@example.com`, '--owner', 'Noah');
  const { id } = await cli.json<Identified>('notifications', 'add', 'webhook', `${hook}/tasks`, '--owner', 'Mia');
  await cli.both('notifications', 'targets');
  await cli.both('notifications', 'change', id, '--owner', 'Noah');
  await cli.both('notifications', 'check', id);
  await cli.both('notifications', 'templates');
  const text = fileOf(walk, 'told.liquid', 'A task: {{ task.title }}');
  await cli.both('notifications', 'write', '*', 'email', '--file', text, '--subject', 'A task');
  await cli.both('notifications', 'preview', 'email', '--file', text, '--subject', 'A task');
  await cli.human('notifications', 'reset', '*', 'email');
  await cli.json('notifications', 'write', '*', 'email', '--file', text, '--subject', 'A task');
  await cli.json('notifications', 'reset', '*', 'email');
  await cli.refused('unknown_notification', 'notifications', 'resume', nobody);
  await cli.refused('unknown_notification', 'notifications', 'drop', nobody);
  for (const mode of ['human', 'json'] as const) {
    const one = await cli.json<Identified>('notifications', 'add', 'email', `${mode}-${run}@example.com`);
    await cli[mode]('notifications', 'remove', one.id, '--yes');
  }
}

async function webhooks({ cli, hook }: Walk): Promise<void> {
  await cli.human('webhooks', 'create', `${hook}/one`, '--type', 'message.sent');
  const { id } = await cli.json<Identified>('webhooks', 'create', `${hook}/two`, '--description', 'ours');
  await cli.both('webhooks');
  await cli.both('webhooks', 'list');
  await cli.both('webhooks', 'change', id, '--all-types', '--personal-data');
  await cli.both('webhooks', 'disable', id);
  await cli.both('webhooks', 'enable', id);
  await cli.both('webhooks', 'rotate', id, '--overlap-hours', '1');
  await cli.both('webhooks', 'test', id);
  const [delivery] = await cli.both<Identified[]>('webhooks', 'deliveries', id);
  await cli.both('webhooks', 'show', id, delivery?.id ?? '');
  await cli.both('webhooks', 'redeliver', id, delivery?.id ?? '');
  await cli.both('webhooks', 'redeliver', id, '--since', '2026-01-01');
  await cli.human('webhooks', 'remove', id, '--yes');
  const another = await cli.json<Identified>('webhooks', 'create', `${hook}/three`);
  await cli.json('webhooks', 'remove', another.id, '--yes');
}

/** Deliveries that are authentic and cannot be read: they wait until somebody has seen them. */
async function unreadable({ cli, apiUrl, run }: Walk, deliveries: number): Promise<void> {
  const secret = `shpss_${run}`;
  const { webhook } = await cli.json<{ webhook: { url: string } }>('connections', 'create', 'shopify', '--name', `odd ${run}`, '--secret', secret);
  const { pathname } = new URL(webhook.url);
  for (let n = 1; n <= deliveries; n++) {
    const body = JSON.stringify({ id: `${run}-${n}`, total_price: 'much' });
    const signed = { 'x-shopify-topic': 'orders/create', 'x-shopify-webhook-id': `${run}-${n}`, 'x-shopify-hmac-sha256': signShopify(secret, body) };
    const { status } = await fetch(new URL(pathname, apiUrl), {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...signed },
      body,
    });
    if (status !== 200) throw new Error(`a delivery that cannot be read was answered ${status}`);
  }
}

async function whatWaits(walk: Walk): Promise<void> {
  const { cli, run } = walk;
  await unreadable(walk, 4);
  const waiting = await cli.both<Identified[]>('quarantine');
  await cli.both('quarantine', 'list', '--state', 'all');
  await cli.both('quarantine', 'show', waiting[0]?.id ?? '');
  await cli.found([1], 'quarantine', 'replay', waiting[0]?.id ?? '');
  await cli.found([1], 'quarantine', 'replay');
  await cli.human('quarantine', 'dismiss', waiting[0]?.id ?? '', '--reason', 'made up');
  await cli.json('quarantine', 'dismiss', waiting[1]?.id ?? '', '--reason', 'made up');
  const parked = await cli.both<Identified[]>('parked');
  await cli.both('parked', 'list', '--kind', 'delivery');
  await cli.found([0, 1], 'parked', 'resume', '--kind', 'delivery', '--dry-run');
  await cli.human('parked', 'skip', parked[0]?.id ?? '', '--yes');
  await cli.both('parked', 'skip', '--kind', 'delivery', '--yes');
  await cli.both('parked', 'cancel', '--kind', 'delivery', '--dry-run', '--yes');
  // Nothing is written by a model here, and no offer is granted.
  await cli.both('compositions');
  await cli.both('compositions', 'list', '--state', 'waiting');
  for (const action of ['approve', 'reject']) await cli.refused('unknown_composition', 'compositions', action, nobody);
  const codes = fileOf(walk, 'codes.txt', `A-${run}\nB-${run}\n`);
  await cli.both('offers', 'codes', codes, '--expires', '2099-01-31T00:00:00Z');
  await cli.both('offers', 'codes');
  await cli.both('offers');
  await cli.refused('unknown_offer', 'offers', 'revoke', nobody, '--yes');
  await cli.both('telegram', 'admin-code');
  await cli.both('audit', '--limit', '5');
}

async function figures({ cli }: Walk): Promise<void> {
  await cli.found([0, 1], 'alarms');
  await cli.both('alarms', 'history');
  await cli.both('drills');
  await cli.wrong('drills', 'start', 'the moon');
  await cli.human('drills', 'start', 'worker', '--minutes', '1', '--share', '1');
  const [human] = await cli.json<Identified[]>('drills');
  await cli.both('drills', 'show', human?.id ?? '');
  await cli.human('drills', 'end', human?.id ?? '');
  const begun = await cli.json<Identified>('drills', 'start', 'worker', '--minutes', '1', '--share', '1');
  await cli.json('drills', 'end', begun.id);
  await cli.refused('outage_drill_over', 'drills', 'end', begun.id);
  await cli.both('explain', 'summary');
  await cli.both('attribution', '--model', 'time_decay', '--by', 'channel');
  await cli.both('learning');
  await cli.both('learning', 'phrases', '--channel', 'email');
  for (const of of ['delays', 'hours', 'drop-offs', 'leaderboards']) await cli.both('learning', of);
  await cli.both('suggestions');
  // Suggestions rest on hundreds of enrollments.
  await cli.impossible('suggestions', 'show', 'none');
  await cli.refused('unknown_suggestion', 'suggestions', 'approve', 'none');
  await cli.refused('unknown_suggestion', 'suggestions', 'draft', 'none');
  await cli.refused('unknown_suggestion', 'suggestions', 'dismiss', 'none', '--reason', 'Not wanted.');
  await cli.both('suggestions', 'dismissed');
  await cli.found([0, 1], 'doctor', '--dns', '127.0.0.1:9');
}

async function byThemselves({ cli }: Walk): Promise<void> {
  for (const shell of ['bash', 'zsh', 'fish']) await cli.both('completion', shell);
  await cli.wrong('completion', 'csh');
}

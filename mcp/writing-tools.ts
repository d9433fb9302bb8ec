import { z } from 'zod';
import { type Client, unwrap } from '../sdk/index.ts';
import { type Tool, writing } from './tool.ts';

const sequence = z.string().min(1).max(60).describe('The slug of a sequence, such as cart.');
const note = z.string().min(1).max(500);

/** The same to many. */
const bulkShape = {
  action: z.enum(['stop', 'pause', 'resume', 'move']),
  filter: z
    .strictObject({
      status: z.enum(['ACTIVE', 'PAUSED']).optional(),
      sequence: sequence.optional(),
      campaign_id: z.uuid().optional(),
      enrolled_from: z.iso.datetime().optional(),
      enrolled_until: z.iso.datetime().optional(),
    })
    .describe('At least one field.'),
  version: z.int().min(1).optional().describe('Of move: a version of the sequence; left out: the one in use.'),
  step: z.string().min(1).max(100).optional().describe('Of move: the step that comes next from then on.'),
  note,
};
const bulkWish = z.strictObject(bulkShape);
type BulkWish = z.output<typeof bulkWish>;

export const writingTools: readonly Tool[] = [
  writing(
    {
      name: 'trigger_intervention',
      title: 'Begin an intervention',
      description:
        'Begins the sequence of the band of risk that an account is in. One for a lower band ends; nothing begins where one of its band runs.',
    },
    { account: z.uuid().describe('The id of an account.') },
    async ({ client }, { account }) => {
      const { band, score, basis, sentence } = unwrap(await client.risk.assess({ account }));
      if (band === 'none') throw new Error('It is in no band of risk: there is nothing to begin.');
      return { would: { begins: `the sequence for ${band}`, account, score, basis, sentence }, seen: null };
    },
    async ({ client }, { account }) => {
      const { band, begun, kept_from } = unwrap(await client.risk.intervene({ account }));
      return { account, band, begun, kept_from };
    },
  ),
  writing(
    {
      name: 'escalate_to_manager',
      title: 'Escalate to a manager',
      description: 'Hands an account, a lead or a cart over to a manager, as a task with what is known. Once in 24 hours for each.',
    },
    { subject: z.uuid().describe('The id of the account, lead or cart.'), note: note.optional().describe('What to do, for the manager.') },
    async (_context, { subject }) => ({ would: { hands_over: subject }, seen: null }),
    async ({ client }, { subject, note: what }) => {
      const { id, owner, due_at, suppressed, result } = unwrap(
        await client.tasks.escalate({ subject, ...(what === undefined ? {} : { note: what }) }),
      );
      return { task: id, owner, due_at, suppressed, result };
    },
  ),
  writing(
    {
      name: 'add_notification_target',
      title: 'Tell somebody of tasks',
      description:
        'Tells the owner of tasks at an address: by email, sms, telegram or slack. A webhook, whose secret is shown once, is added on the dashboard or by command.',
    },
    {
      channel: z.enum(['email', 'sms', 'telegram', 'slack']),
      address: z.string().min(1).max(2_000).describe('An email address, a number, the id of a Telegram chat, or the address of a Slack webhook.'),
      owner: z.string().min(1).max(120).optional().describe('Whose tasks, by the name that tasks use. Left out: those that are anybody’s.'),
      kinds: z.array(z.string().min(1).max(60)).max(50).optional().describe('Such as escalation. Left out: every kind.'),
    },
    async (_context, { channel, owner, kinds }) => ({
      would: { tells: owner ?? 'whoever looks there, of tasks that are anybody’s', by: channel, of: kinds ?? 'every kind of task' },
      seen: null,
    }),
    async ({ client }, { channel, address, owner, kinds }) => {
      const wish = { channel, address, ...(owner === undefined ? {} : { owner }), ...(kinds === undefined ? {} : { kinds }) };
      return { target: unwrap(await client.notifications.createTarget(wish)).id };
    },
  ),
  writing(
    {
      name: 'change_notification_target',
      title: 'Change where somebody is told',
      description: 'Changes whose tasks, which kinds or which address a notification target has. What waits goes to the new address.',
    },
    {
      target: z.uuid(),
      owner: z.string().min(1).max(120).nullable().optional().describe('Null: tasks that are anybody’s.'),
      address: z.string().min(1).max(2_000).optional(),
      kinds: z.array(z.string().min(1).max(60)).max(50).optional().describe('Empty: every kind.'),
    },
    async ({ client }, { target, owner, address, kinds }) => {
      const known = unwrap(await client.notifications.target(target));
      const next = { owner: owner === undefined ? known.owner : owner, kinds: kinds ?? known.kinds };
      return {
        would: { from: { owner: known.owner, kinds: known.kinds }, to: next, address: address === undefined ? 'stays' : 'changes' },
        seen: null,
      };
    },
    async ({ client }, { target, owner, address, kinds }) => {
      const wish = {
        ...(owner === undefined ? {} : { owner }),
        ...(address === undefined ? {} : { address }),
        ...(kinds === undefined ? {} : { kinds }),
      };
      const changed = unwrap(await client.notifications.updateTarget(target, wish));
      return { target: changed.id, owner: changed.owner, kinds: changed.kinds };
    },
  ),
  writing(
    { name: 'check_notification_target', title: 'Send a test to a target', description: 'Sends one message about nobody to a notification target.' },
    { target: z.uuid() },
    async ({ client }, { target }) => {
      const { channel, owner } = unwrap(await client.notifications.target(target));
      return { would: { sends: 'a test', by: channel, to: owner }, seen: null };
    },
    async ({ client }, { target }) => unwrap(await client.notifications.checkTarget(target)),
  ),
  writing(
    {
      name: 'remove_notification_target',
      title: 'Tell nobody there any more',
      description: 'Removes a notification target; what waits for it is dropped.',
    },
    { target: z.uuid() },
    async ({ client }, { target }) => {
      const { channel, owner } = unwrap(await client.notifications.target(target));
      return { would: { removes: target, by: channel, of: owner }, seen: null };
    },
    async ({ client }, { target }) => {
      unwrap(await client.notifications.removeTarget(target));
      return { removed: target };
    },
  ),
  writing(
    {
      name: 'dismiss_suggestion',
      title: 'Dismiss a suggestion',
      description: 'Keeps a comparison that the results suggest from being suggested again while it rests on the same figures; learning lists them.',
    },
    { id: z.string().min(1).max(60), reason: note.describe('For colleagues who ask later.') },
    async ({ client }, { id }) => {
      const one = unwrap(await client.suggestions.list()).data.find((suggestion) => suggestion.id === id);
      if (one === undefined) throw new Error('It is not suggested, or not any more.');
      return { would: { dismisses: one.change, sequence: one.sequence, step: one.step }, seen: null };
    },
    async ({ client }, { id, reason }) => unwrap(await client.suggestions.dismiss(id, { reason })),
  ),
  writing(
    { name: 'stop_enrollment', title: 'Stop one sequence', description: 'Ends one running enrollment: nothing more of it is sent.' },
    { enrollment_id: z.uuid(), reason: note.describe('Kept as a note.') },
    async ({ client }, { enrollment_id: id }) => {
      const { sequence: of, status, summary, ended_at } = unwrap(await client.enrollments.get(id));
      if (ended_at !== null) throw new Error(`It has ended already: ${summary}`);
      return { would: { ends: id, sequence: of.slug, status, summary }, seen: null };
    },
    async ({ client }, { enrollment_id: id, reason }) => {
      const { sentence, enrollment } = unwrap(await client.enrollments.stop(id, { reason }));
      return { sentence, summary: enrollment.summary };
    },
  ),
  writing(
    {
      name: 'act_on_enrollments',
      title: 'Stop, pause, resume or move many',
      description:
        'Does the same to every running enrollment that a filter finds: stop, pause, resume, or move to another version or step. It goes on in the background.',
    },
    bulkShape,
    async ({ client }, wish) => {
      const counted = unwrap(await client.bulkActions.start({ ...given(wish), dry_run: true }));
      if ('id' in counted) throw new Error('a dry run was carried out');
      const { action, matched, ended, sequences } = counted;
      return { would: { does: action, to: matched, sequences, ended_and_left_alone: ended }, seen: matched };
    },
    async ({ client }, wish, most) => {
      const begun = unwrap(await client.bulkActions.start({ ...given(wish), most }));
      if (!('id' in begun)) throw new Error('it was only counted');
      const { id, state, matched } = begun;
      return { id, state, matched };
    },
  ),
  writing(
    {
      name: 'pause_sequence',
      title: 'Pause a sequence',
      description: 'Nothing of the sequence is sent and nobody is taken in until somebody resumes it. What becomes too old meanwhile is skipped.',
    },
    { sequence, note },
    async ({ client }, { sequence: slug }) => {
      const { name, paused, open_enrollments } = unwrap(await client.sequences.get(slug));
      if (paused) throw new Error(`${slug} is paused already.`);
      return { would: { pauses: slug, name, waiting_enrollments: open_enrollments }, seen: null };
    },
    async ({ client }, { sequence: slug, note: why }) => {
      const { status, paused, open_enrollments } = unwrap(await client.sequences.pause(slug, { note: why }));
      return { sequence: slug, status, paused, open_enrollments };
    },
  ),
  writing(
    {
      name: 'draft_sequence',
      title: 'Store a draft',
      description:
        'Stores a sequence file as the draft of the sequence that it names, in the place of the draft before. Nothing that runs changes until it is published.',
    },
    {
      sequence,
      yaml: z.string().min(1).max(200_000).describe('The sequence file, as docs/sequences.md has it.'),
      copy: z.record(z.string().max(200), z.string().max(262_144)).default({}).describe('Its texts by name, such as "cart/email_2h".'),
    },
    async ({ client }, { sequence: slug, copy }) => {
      const [now, before] = [await client.sequences.get(slug), await client.sequences.draft(slug)];
      if (now.error !== null && now.error.status !== 404) throw now.error;
      if (before.error !== null && before.error.status !== 404) throw before.error;
      const replaced = before.data === null ? null : { changed_by: before.data.changed_by, changed_at: before.data.changed_at };
      return {
        would: {
          stores_draft_of: slug,
          new_sequence: now.data === null,
          version_in_use: now.data?.version ?? null,
          texts: Object.keys(copy),
          replaces_draft: replaced,
        },
        seen: before.data?.source_hash ?? null,
      };
    },
    async ({ client }, { sequence: slug, yaml, copy }, seen) => {
      const before = await client.sequences.draft(slug);
      if ((before.data?.source_hash ?? null) !== seen)
        throw new Error('The draft was changed meanwhile. Call without a token to see what is replaced.');
      const { source_hash, findings } = unwrap(await client.sequences.storeDraft(slug, { yaml, copy }));
      return { sequence: slug, source_hash, findings, next: 'publish_sequence says what publishing it would change.' };
    },
  ),
  writing(
    {
      name: 'publish_sequence',
      title: 'Publish a draft',
      description: 'Makes the draft of a sequence its next version, for everybody who begins from then on.',
    },
    {
      sequence,
      running: z
        .enum(['stay', 'move', 'exit'])
        .optional()
        .describe('What becomes of those who are in it: stay on their version (default), move, or exit.'),
    },
    async ({ client }, { sequence: slug, running }) => {
      const preview = unwrap(await client.sequences.preview(slug));
      const { base_version, draft, steps, texts, settings, open_enrollments, movable, choice_needed } = preview;
      return {
        would: {
          publishes: slug,
          over_version: base_version,
          ...{ steps, texts, settings, open_enrollments, movable, choice_needed },
          running: running ?? 'stay',
          findings: draft.findings,
        },
        seen: { base_version, draft: draft.source_hash },
      };
    },
    async ({ client }, { sequence: slug, running }, { base_version, draft }) => {
      const { version, open_enrollments } = unwrap(
        await client.sequences.publish(slug, { base_version, draft, ...(running === undefined ? {} : { running }) }),
      );
      return { sequence: slug, version, open_enrollments };
    },
  ),
];

/** Without what was left out. */
function given({ filter, version, step, ...wish }: BulkWish): Parameters<Client['bulkActions']['start']>[0] {
  const { status, sequence: slug, campaign_id, enrolled_from, enrolled_until } = filter;
  return {
    ...wish,
    filter: {
      ...(status === undefined ? {} : { status }),
      ...(slug === undefined ? {} : { sequence: slug }),
      ...(campaign_id === undefined ? {} : { campaign_id }),
      ...(enrolled_from === undefined ? {} : { enrolled_from }),
      ...(enrolled_until === undefined ? {} : { enrolled_until }),
    },
    ...(version === undefined ? {} : { version }),
    ...(step === undefined ? {} : { step }),
  };
}

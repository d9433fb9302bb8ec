import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { enrollments, sequenceVersions } from '../../../db/schema/index.ts';
import { publishPreset } from '../../../operations/publish-sequence.ts';
import { explainEnrollment } from '../../../operations/read/explain.ts';
import { changeState } from '../../../operations/versions/change-state.ts';
import { readDraft } from '../../../operations/versions/draft.ts';
import { rollBack } from '../../../operations/versions/publish.ts';
import { dispatch, leaveCart } from '../../api/left-carts.ts';
import { asOwner } from '../../helpers/database.ts';
import { aCart, letTimePass, openShop, type Shop } from '../../helpers/shop.ts';
import { publishNext, tryPublish, versionInUse, wake } from './publish-next.ts';

// What becomes of those who are in a sequence when another version of it is published, and when the whole sequence is paused or ended.

const hourMs = 3_600_000;
let shop: Shop;
const held = { claimed: null as Promise<void> | null, reached: () => {} };
beforeAll(async () => {
  shop = await openShop({
    timeScale: 1,
    settings: { postalAddress: '1 Test Street, Vienna' },
    async checkpoints(at) {
      if (at !== 'dispatch.claimed' || held.claimed === null) return;
      held.reached();
      await held.claimed;
    },
  });
});
afterAll(() => shop.close());

const preset = { popup_1h: '1h', email_2h: '2h', email_24h: '24h', email_48h: '48h' };
beforeEach(async () => {
  await publishNext(shop, { ...preset, email_72h: `${70 + (counter % 20)}h` }, 'stay');
});

let counter = 0;
/** A cart whose pop-up was shown: it waits for email_2h. With `mailed`, that is out and it waits for email_24h. */
async function left(mailed = false): Promise<{ id: string; email: string; version: number }> {
  const name = `running-${++counter}`;
  const email = `${name}@example.com`;
  const id = await leaveCart(shop, name, email);
  if (mailed) {
    await letTimePass(shop, hourMs + 1_000);
    await dispatch(shop, id, 'email_2h');
    expect(mailsTo(email)).toBe(1);
  }
  return { id, email, version: await versionInUse(shop) };
}
const mailsTo = (email: string) => shop.smtp.accepted.filter((m) => m.envelope.to.includes(email)).length;
const rowOf = async (id: string) =>
  (await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(enrollments).where(eq(enrollments.id, id))))[0];
const versionOf = async (id: string) => {
  const versionId = (await rowOf(id))?.versionId ?? '';
  const [found] = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    tx.select().from(sequenceVersions).where(eq(sequenceVersions.id, versionId)),
  );
  return found?.version;
};
const stateOf = async (id: string, step: string) => {
  const row = (await shop.ledgerOf(id)).find((m) => m.stepId === step);
  return row === undefined ? null : row.state === 'skipped' ? row.skipReason : row.state;
};
const change = (what: Parameters<typeof changeState>[1]['change']) =>
  changeState(shop.deps, { tenantId: shop.tenant.tenantId, slug: 'cart', change: what, actor: 'test', note: null });
const explained = async (id: string) => {
  const explanation = await explainEnrollment(shop.deps, shop.tenant.tenantId, id);
  if (explanation === null) throw new Error('no explanation');
  return explanation;
};

describe('those who run', () => {
  test('stay on their version unless somebody says otherwise', async () => {
    const { id, email, version } = await left();
    await publishNext(shop, { popup_1h: '1h', email_2h: '2h', email_30h: '30h' }, null);
    expect(await wake(shop, id, version)).toMatchObject({ ended: null });
    expect(await wake(shop, id, version)).not.toHaveProperty('plan');
    await letTimePass(shop, hourMs + 1_000);
    await dispatch(shop, id, 'email_2h');
    await letTimePass(shop, 22 * hourMs);
    await dispatch(shop, id, 'email_24h');
    expect(mailsTo(email)).toBe(2);
    expect(await versionOf(id)).toBe(version);
  });

  test('move at their next decision, and wait for the step as the new version has it', async () => {
    const { id, email, version } = await left();
    const next = await publishNext(shop, { ...preset, email_2h: '5h' }, 'move');
    // Nothing is written to those who run until the next step is asked for.
    expect(await versionOf(id)).toBe(version);
    const woken = await wake(shop, id, version);
    expect(woken).toMatchObject({ ended: null, plan: { version: next } });
    expect(await versionOf(id)).toBe(next);
    await letTimePass(shop, hourMs + 1_000);
    await dispatch(shop, id, 'email_2h');
    expect(mailsTo(email)).toBe(0);
    await letTimePass(shop, 3 * hourMs);
    await dispatch(shop, id, 'email_2h');
    expect(mailsTo(email)).toBe(1);
    expect((await explained(id)).entries.map((e) => e.sentence)).toContain(
      `A new version was published: the sequence goes on in version ${next}, where it had been in version ${version}.`,
    );
  });

  test('move by a dispatch too, where their workflow was not woken: it decides nothing and asks for the new plan', async () => {
    const { id, email, version } = await left();
    const next = await publishNext(shop, { popup_1h: '1h', email_24h: '24h', email_48h: '48h' }, 'move');
    await letTimePass(shop, hourMs + 1_000);
    // It waits for a step that is gone.
    expect(await dispatch(shop, id, 'email_2h')).toMatchObject({ kind: 'done', ended: null, stale: true });
    expect([mailsTo(email), await stateOf(id, 'email_2h'), await versionOf(id)]).toEqual([0, null, next]);
    expect(await wake(shop, id, version)).toMatchObject({ plan: { version: next } });
    expect(await wake(shop, id, next)).not.toHaveProperty('plan');
    // A dispatch of the old plan that comes late does nothing either.
    expect(await dispatch(shop, id, 'email_2h')).toMatchObject({ kind: 'done', stale: true });
    await letTimePass(shop, 22 * hourMs);
    expect(await dispatch(shop, id, 'email_24h')).not.toHaveProperty('stale');
    expect(mailsTo(email)).toBe(1);
  });

  test('are not sent what they are past: steps that are put in before their place are left out', async () => {
    const { id, email, version } = await left(true);
    const next = await publishNext(shop, { popup_1h: '1h', email_90m: '90m', email_2h: '2h', email_3h: '3h', email_24h: '24h' }, 'move');
    await wake(shop, id, version);
    expect([await stateOf(id, 'email_90m'), await stateOf(id, 'email_3h'), await versionOf(id)]).toEqual(['passed', null, next]);
    await letTimePass(shop, 2 * hourMs + 2_000);
    await dispatch(shop, id, 'email_3h');
    await dispatch(shop, id, 'email_2h');
    expect(await stateOf(id, 'email_2h')).toBe('sent');
    // Three hours lie between two messages.
    expect(mailsTo(email)).toBe(1);
    await letTimePass(shop, 2 * hourMs);
    await dispatch(shop, id, 'email_3h');
    expect(mailsTo(email)).toBe(2);
    expect((await explained(id)).enrollment.steps.map((s) => [s.id, s.state])).toEqual([
      ['popup_1h', 'skipped'],
      ['email_90m', 'skipped'],
      ['email_2h', 'sent'],
      ['email_3h', 'sent'],
      ['email_24h', 'waiting'],
    ]);
  });

  test('stay where no step says where they would stand', async () => {
    const { id, version } = await left(true);
    await publishNext(shop, { other_2h: '2h', other_24h: '24h' }, 'move');
    expect(await wake(shop, id, version)).not.toHaveProperty('plan');
    await letTimePass(shop, 22 * hourMs);
    await dispatch(shop, id, 'email_24h');
    expect([await versionOf(id), await stateOf(id, 'email_24h')]).toEqual([version, 'sent']);
  });

  test('end where the new version ends with what they have had', async () => {
    const { id, version } = await left(true);
    await publishNext(shop, { popup_1h: '1h', email_2h: '2h' }, 'move');
    expect(await dispatch(shop, id, 'email_24h')).toMatchObject({ kind: 'done', ended: 'completed' });
    expect(await wake(shop, id, version)).toMatchObject({ ended: 'completed' });
    expect(await rowOf(id)).toMatchObject({ status: 'COMPLETED' });
  });

  test('exit, by the next decision or as soon as their workflow is woken', async () => {
    const [asked, woken, later] = [await left(), await left(), await left()];
    await publishNext(shop, { popup_1h: '1h', email_24h: '24h' }, 'exit');
    expect(await wake(shop, woken.id, woken.version)).toMatchObject({ ended: 'version_replaced' });
    expect((await explained(asked.id)).next).toMatchObject({ verdict: 'stop', reason: 'version_replaced' });
    await letTimePass(shop, hourMs + 1_000);
    expect(await dispatch(shop, asked.id, 'email_2h')).toMatchObject({ kind: 'done', ended: 'version_replaced' });
    for (const { id, email } of [asked, woken]) {
      expect(await rowOf(id)).toMatchObject({ status: 'EXITED', stopReason: 'version_replaced' });
      expect(mailsTo(email)).toBe(0);
      expect((await explained(id)).enrollment.summary).toContain('a new version of the sequence was published');
    }
    // The next publisher may choose otherwise for those who are not gone yet.
    const next = await publishNext(shop, { popup_1h: '1h', email_2h: '2h', email_24h: '25h' }, 'move');
    expect(await wake(shop, later.id, later.version)).toMatchObject({ ended: null, plan: { version: next } });
  });

  test('who begins with the new version is not touched by what was decided for the others', async () => {
    const next = await publishNext(shop, { popup_1h: '1h', email_24h: '24h' }, 'exit');
    const { id } = await left();
    expect(await wake(shop, id, next)).toMatchObject({ ended: null });
    expect(await versionOf(id)).toBe(next);
  });

  test('a call that is being made belongs to the version that made it, and the move follows it', async () => {
    const { id, email, version } = await left();
    await letTimePass(shop, hourMs + 1_000);
    let release = () => {};
    const reached = new Promise<void>((done) => (held.reached = done));
    held.claimed = new Promise((done) => (release = done));
    const sending = dispatch(shop, id, 'email_2h');
    await reached;
    held.claimed = null;
    const next = await publishNext(shop, { popup_1h: '1h', email_24h: '24h', email_2h: '36h' }, 'move');
    // The person is not locked during the call: what is read meanwhile moves nobody.
    expect(await wake(shop, id, version)).not.toHaveProperty('plan');
    expect(await dispatch(shop, id, 'email_2h')).toMatchObject({ kind: 'again' });
    release();
    expect(await sending).toMatchObject({ kind: 'done', progress: { settled: { email_2h: { outcome: 'sent' } } } });
    expect(await wake(shop, id, version)).toMatchObject({ plan: { version: next } });
    // It was sent, so what lies before it in the new version is behind this person, and it does not come again.
    expect(await stateOf(id, 'email_24h')).toBe('passed');
    await letTimePass(shop, 40 * hourMs);
    await dispatch(shop, id, 'email_2h');
    expect(mailsTo(email)).toBe(1);
  });
});

describe('rolling back', () => {
  test('is a new version with the content of the old one, and repeats nothing that was sent', async () => {
    const { id, email, version } = await left();
    const second = await publishNext(shop, { popup_1h: '1h', email_3h: '3h', email_24h: '24h' }, 'move');
    await wake(shop, id, version);
    await letTimePass(shop, 2 * hourMs + 1_000);
    await dispatch(shop, id, 'email_3h');
    expect(mailsTo(email)).toBe(1);
    const back = await rollBack(shop.deps, {
      tenantId: shop.tenant.tenantId,
      slug: 'cart',
      baseVersion: second,
      to: version,
      running: 'move',
      actor: 'test',
    });
    expect(back).toMatchObject({ kind: 'published', version: second + 1 });
    const woken = await wake(shop, id, second);
    expect(woken?.plan?.steps.map((s) => s.id)).toEqual(['popup_1h', 'email_2h', 'email_24h', 'email_48h', 'email_72h']);
    // They had a step that the older version does not know, and waited for email_24h in both.
    expect([await stateOf(id, 'email_2h'), await versionOf(id)]).toEqual(['passed', second + 1]);
    expect((await explained(id)).enrollment.steps[0]).toMatchObject({ id: 'email_3h', state: 'sent' });
    const unknown = { tenantId: shop.tenant.tenantId, slug: 'cart', baseVersion: second + 1, to: 999, running: null, actor: 'test' };
    expect(await rollBack(shop.deps, unknown)).toEqual({ kind: 'unknown' });
    expect(await rollBack(shop.deps, { ...unknown, to: version, baseVersion: second })).toMatchObject({ kind: 'stale' });
  });
});

test('publishing is one transaction: what fails in the middle leaves nothing', async () => {
  const { id } = await left();
  const before = await versionInUse(shop);
  await asOwner(shop.database.url, `create function refuse_wake() returns trigger language plpgsql as $$ begin raise 'no'; end $$`);
  await asOwner(
    shop.database.url,
    `create trigger refuse_wake before insert on outbox for each row when (new.kind = 'wake') execute function refuse_wake()`,
  );
  await expect(tryPublish(shop, { popup_1h: '1h', email_9h: '9h' }, 'exit')).rejects.toThrow();
  await asOwner(shop.database.url, 'drop trigger refuse_wake on outbox');
  expect(await versionInUse(shop)).toBe(before);
  expect((await readDraft(shop.deps, shop.tenant.tenantId, 'cart'))?.yaml).toContain('email_9h');
  expect(await wake(shop, id, before)).toMatchObject({ ended: null });
});

describe('the whole sequence', () => {
  test('paused, it sends nothing and takes nobody in; resumed, it goes on, and what is too old is skipped', async () => {
    const [soon, late] = [await left(), await left()];
    await change('pause');
    await letTimePass(shop, hourMs + 1_000);
    expect(await dispatch(shop, soon.id, 'email_2h')).toMatchObject({ kind: 'done', ended: null, note: 'sequence_paused' });
    expect((await explained(soon.id)).next).toMatchObject({ verdict: 'hold', reason: 'sequence_paused' });
    await shop.post('cart.updated', aCart('while-paused', 'while-paused@example.com'));
    expect(await shop.enrollmentOf('while-paused')).toBeNull();
    await change('resume');
    await dispatch(shop, soon.id, 'email_2h');
    expect(mailsTo(soon.email)).toBe(1);
    await change('pause');
    await letTimePass(shop, 24 * hourMs);
    await change('resume');
    await dispatch(shop, late.id, 'email_2h');
    expect([mailsTo(late.email), await stateOf(late.id, 'email_2h')]).toEqual([0, 'too_old']);
  });

  test('ended, everybody exits; taken out of the archive, it begins anew and nobody who begins is ended', async () => {
    const { id, email, version } = await left();
    const byWorkflow = await left();
    await change('end');
    await letTimePass(shop, hourMs + 1_000);
    expect(await dispatch(shop, id, 'email_2h')).toMatchObject({ kind: 'done', ended: 'sequence_ended' });
    expect(await wake(shop, byWorkflow.id, version)).toMatchObject({ ended: 'sequence_ended' });
    expect([mailsTo(email), (await rowOf(id))?.status]).toEqual([0, 'EXITED']);
    expect((await explained(id)).enrollment.summary).toContain('the whole sequence was ended by hand');
    await shop.post('cart.updated', aCart('while-ended', 'while-ended@example.com'));
    expect(await shop.enrollmentOf('while-ended')).toBeNull();
    await change('unarchive');
    const again = await left();
    expect(await wake(shop, again.id, again.version)).toMatchObject({ ended: null });
    expect(again.version).toBe(version + 1);
  });

  test('the file of the installation never takes the place of what somebody published', async () => {
    const version = await versionInUse(shop);
    for (const one of inject('presets')) await publishPreset(shop.deps, shop.tenant.tenantId, one);
    expect(await versionInUse(shop)).toBe(version);
  });
});

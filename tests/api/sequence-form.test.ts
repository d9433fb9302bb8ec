import { afterAll, beforeAll, expect, test } from 'vitest';
import { openShop, type Shop } from '../helpers/shop.ts';
import { ask, type Method } from './left-carts.ts';

// A sequence as one form edits it (docs/adr/0100-the-builder.md).

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1, settings: { postalAddress: '1 Test Street, Vienna' } });
});
afterAll(() => shop.close());

interface Form {
  slug: string;
  base_version: number;
  draft: string | null;
  said: Record<string, unknown> & { steps: Record<string, unknown>[] };
  texts: { name: string; source: string; fields: Record<string, unknown>; body: string }[];
  unknown_texts: string[];
  about: { kind: string; attributes: string[]; samples: string[] } | null;
}
const api = (path: string, method: Method = 'GET', body?: Record<string, unknown>) =>
  ask(shop, shop.tenant.apiKey, `/api/sequences${path}`, method, body);
async function formOf(slug: string): Promise<Form> {
  const { status, body } = await api(`/${slug}/form`);
  expect(status, JSON.stringify(body)).toBe(200);
  return body as Form;
}
const put = ({ slug, base_version, draft, said }: Form, texts: Record<string, string>) =>
  api(`/${slug}/form`, 'PUT', { base_version, draft, said, texts });
const withStep = (form: Form, index: number, change: Record<string, unknown>): Form => ({
  ...form,
  said: { ...form.said, steps: form.said.steps.map((step, at) => (at === index ? { ...step, ...change } : step)) },
});
const email = (subject: string) => `---\nsubject: "${subject}"\npreheader: A look\nheading: Hello\ncta: Go on\n---\nHello.\n\n[cart]\n`;

test('a version in use is shown with its texts as they were written', async () => {
  const form = await formOf('cart');
  expect(form).toMatchObject({ slug: 'cart', base_version: 1, draft: null, unknown_texts: [], about: { kind: 'cart' } });
  expect(form.said.steps.map(({ id }) => id)).toEqual(['popup_1h', 'email_2h', 'email_24h', 'email_48h', 'email_72h']);
  const text = form.texts.find(({ name }) => name === 'cart/email_2h');
  expect(text?.fields['heading']).toBe('Still thinking it over?');
  expect(text?.body).toContain('[cart]');
});

test('what is wrong is said of its field, or of the line of its text; nothing is stored', async () => {
  const form = await formOf('cart');
  const check = async (said: unknown, texts: Record<string, string> = {}) => {
    const { status, body } = await api('/cart/form/check', 'POST', { said, texts });
    expect(status, JSON.stringify(body)).toBe(200);
    return (body as { faults: { path: unknown[]; text: string | null; line: number | null; severity: string; message: string }[] }).faults;
  };
  expect((await check(form.said)).filter(({ severity }) => severity === 'error')).toEqual([]);
  expect(await check(withStep(form, 1, { at: 'two hours' }).said)).toMatchObject([{ path: ['steps', 1, 'at'], text: null, severity: 'error' }]);
  expect(await check({ ...form.said, sequence: 'other' })).toMatchObject([{ path: ['sequence'] }]);
  expect(await check(form.said, { 'cart/email_2h': email('{{ nothing }}') })).toMatchObject([{ path: [], text: 'cart/email_2h', line: 2 }]);
  const added = { ...form.said, steps: [...form.said.steps, { id: 'more', after: '1d', channel: 'sms', content: 'cart/more' }] };
  expect(await check(added)).toMatchObject([
    { severity: 'warning' },
    { path: ['steps', 5, 'content'], message: expect.stringContaining('cart/more.sms') as string },
  ]);
  expect((await formOf('cart')).draft).toBeNull();
  expect(await api('/nothing/form/check', 'POST', { said: {}, texts: {} })).toMatchObject({ status: 404 });
});

test('a step is shown as it is typed, on the channel that is asked for', async () => {
  const form = await formOf('cart');
  const show = (more: Record<string, unknown>) => api('/cart/form/preview', 'POST', { said: form.said, step: 'email_2h', ...more });
  expect(await show({ texts: { 'cart/email_2h': email('Typed just now') } })).toMatchObject({
    status: 200,
    body: { channel: 'email', subject: 'Typed just now' },
  });
  expect(await show({ texts: {}, locale: 'de' })).toMatchObject({ status: 200, body: { locale: 'de' } });
  expect(await show({ texts: { 'cart/email_2h': 'no front matter' } })).toMatchObject({
    status: 400,
    body: { errors: [{ path: 'cart/email_2h:1' }] },
  });
  // A fault of another step's text is none of this one's.
  expect(await show({ texts: { 'cart/email_24h': 'no front matter' } })).toMatchObject({ status: 200 });
});

test('of two who edit at once, the second is told and overwrites nothing', async () => {
  const seen = await formOf('cart');
  const mine = withStep(seen, 1, { at: '3h' });
  const translations = seen.texts.filter(({ name }) => name.startsWith('cart/email_2h.') && name !== 'cart/email_2h.de');
  const others = Object.fromEntries(translations.map(({ name, source }) => [name, source]));
  const german = email('Meine');
  expect(await put(mine, { 'cart/email_2h': email('Mine') }), 'every text is there in every language').toMatchObject({ status: 400 });
  expect(await put(mine, { 'cart/email_2h': email('Mine'), 'cart/email_2h.de': german, ...others })).toMatchObject({
    status: 200,
    body: { said: { steps: [{}, { at: '3h' }, {}, {}, {}] } },
  });
  expect(await put(withStep(seen, 1, { at: '5h' }), {})).toMatchObject({ status: 409, body: { code: 'stale_draft' } });
  const stored = await formOf('cart');
  expect(stored.said.steps[1]).toMatchObject({ at: '3h' });
  expect(await put(withStep(stored, 1, { at: 'soon' }), {})).toMatchObject({ status: 400, body: { errors: [{ path: 'steps.1.at' }] } });

  // Published, it is the version in use, with what was written; what the draft did not bring is still known from the preset.
  expect(await api('/cart/publish', 'POST', { base_version: 1, running: 'stay' })).toMatchObject({ status: 200, body: { version: 2 } });
  expect(await put(withStep(stored, 1, { at: '4h' }), {})).toMatchObject({ status: 409, body: { code: 'stale_draft' } });
  const published = await formOf('cart');
  expect(published).toMatchObject({ base_version: 2, draft: null, unknown_texts: [] });
  expect(published.texts.find(({ name }) => name === 'cart/email_2h')).toMatchObject({ source: email('Mine'), fields: { subject: 'Mine' } });
  expect(published.texts.find(({ name }) => name === 'cart/email_24h.de')).toBeDefined();
  expect(published.texts.find(({ name }) => name === 'cart/email_2h.de')?.source).toBe(german);

  expect(await api('/cart/rollback', 'POST', { base_version: 2, to: 1 })).toMatchObject({ status: 200 });
  const back = await formOf('cart');
  expect(back).toMatchObject({ base_version: 3, unknown_texts: [] });
  expect(back.texts.find(({ name }) => name === 'cart/email_2h')?.source).not.toBe(email('Mine'));
});

test('comments of a draft stay, and a draft may have no steps yet', async () => {
  expect(await api('', 'POST', { name: 'By hand' })).toMatchObject({ status: 201 });
  const empty = await formOf('by-hand');
  expect(empty).toMatchObject({ base_version: 0, said: { steps: [] }, about: { kind: 'lead' } });
  expect(await put({ ...empty, said: { ...empty.said, name: 'Another name' } }, {})).toMatchObject({
    status: 200,
    body: { said: { name: 'Another name' } },
  });
  await api('/cart/draft', 'PUT', {
    yaml: '# why\nsequence: cart\nname: Cart\non: cart.abandoned\nsteps:\n  # first\n  - { id: email_2h, at: 2h, channel: email, content: cart/email_2h }\n',
    copy: {},
  });
  const form = await formOf('cart');
  expect(await put({ ...withStep(form, 0, { at: '6h' }), said: { ...withStep(form, 0, { at: '6h' }).said, holdout: '10%' } }, {})).toMatchObject({
    status: 200,
  });
  const { body } = await api('/cart/draft');
  expect((body as { yaml: string }).yaml).toBe(
    '# why\nsequence: cart\nname: Cart\non: cart.abandoned\nsteps:\n  # first\n  - { id: email_2h, at: 6h, channel: email, content: cart/email_2h }\nholdout: 10%\n',
  );
});

test('a sequence begins as another one, with texts of its own', async () => {
  const made = await api('', 'POST', { name: 'Leads of the fair', like: 'lead-nurture' });
  expect(made, JSON.stringify(made.body)).toMatchObject({ status: 201, body: { slug: 'leads-of-the-fair', status: 'DRAFT' } });
  const form = await formOf('leads-of-the-fair');
  expect(form.said).toMatchObject({ sequence: 'leads-of-the-fair', name: 'Leads of the fair', on: 'lead.created' });
  expect(form.said.steps[0]).toMatchObject({ content: 'leads-of-the-fair/email_welcome' });
  expect(form.texts.every(({ name }) => name.startsWith('leads-of-the-fair/'))).toBe(true);
  expect(await api('', 'POST', { name: 'X', like: 'nothing' })).toMatchObject({ status: 404 });
  expect(await api('', 'POST', { name: 'X', slug: 'cart', like: 'lead-nurture' })).toMatchObject({ status: 409 });
});

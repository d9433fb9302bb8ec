import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { main } from '../../cli/main.ts';

const folder = fileURLToPath(new URL('../../sequences/rehearsals/', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'rekindle-rehearse-'));

async function rekindle(...args: string[]) {
  const [said, complained]: [string[], string[]] = [[], []];
  const status = await main(
    ['rehearse', ...args],
    (line) => said.push(line),
    (line) => complained.push(line),
  );
  return { status, said: said.join('\n'), complained: complained.join('\n') };
}

function file(name: string, text: string): string {
  writeFileSync(join(scratch, name), text);
  return join(scratch, name);
}

const sequence = file(
  'spring.yaml',
  `sequence: spring
name: Spring sale
on: cart.abandoned
quietFor: 1h
stopOn: [purchased, opted_out]
maxAge: 7d
reentry: once-per-subject
together: one
priority: 3
goal: { event: order.placed, within: 7d }
steps:
  - { id: first, at: 2h, channel: email, content: cart/email_2h }
  - { id: second, after: 24h, channel: sms, content: cart/sms_2h, when: { opened: first } }
`,
);

describe('the presets', () => {
  test.each(readdirSync(folder).filter((name) => name.endsWith('.txt')))('go as sequences/rehearsals/%s says', async (name) => {
    const [preset = '', scenario] = name.replace('.txt', '').split('.');
    const more = scenario === undefined ? [] : ['--scenario', join(folder, `${preset}.${scenario}.yaml`)];
    expect(await rekindle(preset, ...more, '--expect', join(folder, name))).toMatchObject({ status: 0 });
  });

  test('are all there', () => {
    const presets = readdirSync(join(folder, '..')).filter((name) => name.endsWith('.yaml'));
    for (const preset of presets) expect(readdirSync(folder)).toContain(preset.replace('.yaml', '.txt'));
  });
});

describe('a file of one’s own', () => {
  test.each([
    ['consent: unknown\nconsentLaw: strict', 'skipped consent_required'],
    ['consent: unknown\nconsentLaw: law\nlastOrder: 2024-01-05', 'skipped consent_expired'],
    ['consent: unknown\nconsentLaw: law\nlastOrder: 2025-05-14', 'sent'],
    ['consent: unknown', 'sent'],
    ['consent: denied\nconsentLaw: off', 'skipped no_consent'],
    ['consent: granted', 'sent'],
  ])('goes by the law of consent of the scenario: %s', async (given, expected) => {
    const { said } = await rekindle(sequence, '--scenario', file('consent.yaml', `country: CA\n${given}\n`), '--json');
    const { events } = JSON.parse(said) as { events: { kind: string; step: string | null; reason: string | null }[] };
    const first = events.find((e) => e.step === 'first' && e.kind !== 'deferred');
    expect(first?.kind === 'sent' ? 'sent' : `${first?.kind} ${first?.reason}`).toBe(expected);
  });

  test('names the variant of a step, the first unless the scenario says another', async () => {
    const compared = file(
      'compared.yaml',
      'sequence: compared\nname: Compared\non: cart.abandoned\nquietFor: 1h\nsteps:\n  - { id: mail, at: 2h, channel: email, variants: [{ id: a, content: cart/a }, { id: b, content: cart/b }] }\n',
    );
    expect((await rekindle(compared)).said).toContain('by email: Variant a.');
    expect((await rekindle(compared, '--scenario', file('b.yaml', 'variants: { mail: b }\n'))).said).toContain('by email: Variant b.');
    const wrong = await rekindle(compared, '--scenario', file('c.yaml', 'variants: { mail: c }\n'));
    expect(wrong.complained + wrong.said).toContain('is no variant of this step: it has a, b');
  });

  test('is rehearsed as JSON, with what happens in the scenario', async () => {
    const scenario = file('opened.yaml', 'timeZone: Asia/Tokyo\nevents:\n  - { at: 3h, event: opened, step: first }\n');
    const { said, status } = await rekindle(sequence, '--scenario', scenario, '--from', '2026-05-04T09:00', '--json');
    expect(status).toBe(0);
    expect(JSON.parse(said)).toMatchObject({
      sequence: 'spring',
      timeZone: 'Asia/Tokyo',
      events: [
        { at: '2026-05-04T09:00:00+09:00', kind: 'received', reason: 'subject.updated' },
        { at: '2026-05-04T11:00:00+09:00', kind: 'sent', step: 'first', channel: 'email' },
        { at: '2026-05-04T12:00:00+09:00', kind: 'received', step: 'first', reason: 'message.opened' },
        { at: '2026-05-05T11:00:00+09:00', kind: 'sent', step: 'second', channel: 'sms' },
      ],
      finished: { reason: 'completed', at: '2026-05-05T11:00:00+09:00' },
    });
  });

  test('skips what its condition forbids', async () => {
    expect((await rekindle(sequence)).said).toMatch(/skipped\s+second\s+condition: The step's condition does not hold\./);
  });

  test('says of a step that is too old what it had to wait for', async () => {
    const short = file(
      'short.yaml',
      'sequence: short\nname: Short\non: cart.abandoned\nquietFor: 1h\nsteps:\n  - { id: text, at: 2h, channel: sms, content: cart/a, expires: 1h }\n',
    );
    const scenario = file('sunday.yaml', 'timeZone: America/Chicago\ncountry: US\nregion: LA\nquietHours: off\nfrom: 2026-02-15T17:00\n');
    expect((await rekindle(short, '--scenario', scenario)).said).toMatch(
      /skipped +text +too_old: In US-LA the law allows nothing on this day \(La\. Rev\. Stat\..*\)\. By the time it may be sent, the step is too old\. It could be sent until Sun 2026-02-15 20:00\.\n/,
    );
  });

  test('that is not as expected ends with 1 and says where', async () => {
    const { said } = await rekindle(sequence);
    const expected = file('expected.txt', said.replace('by email', 'by sms'));
    const compared = await rekindle(sequence, '--expect', expected);
    expect(compared.status).toBe(1);
    expect(compared.said).toMatch(/^- .*first +by sms\n\+ .*first +by email$/m);
    expect(JSON.parse((await rekindle(sequence, '--expect', expected, '--json')).said)).toMatchObject({
      differences: [/^-/, /^\+/].map((r) => expect.stringMatching(r)),
    });
    expect((await rekindle(sequence, '--expect', file('same.txt', said))).status).toBe(0);
  });
});

describe('mistakes', () => {
  test.each([
    [
      'events:\n  - { at: 3h, event: opened, step: third }',
      /scenario\.yaml:2:\d+: `events\[0\]\.step` is no step of this sequence: it has first, second/,
    ],
    ['events:\n  - { at: 3h, event: opened }', /`events\[0\]\.step` is needed for this event/],
    ['events:\n  - { at: soon, event: reply }', /`events\[0\]\.at` is no span/],
    ['events:\n  - { at: 1h, event: party }', /`events\[0\]\.event` is no event of a scenario/],
    ['timeZone: Mars/Olympus', /scenario\.yaml:1:1: `timeZone` is no time zone/],
    ['quietHours: never', /`quietHours` is neither `off` nor/],
    ['weather: fine', /`weather` is not a field here/],
    ['events: [', /Not valid YAML/],
    ['- a list', /The file/],
  ])('in a scenario are named with their place: %s', async (text, message) => {
    const { status, said } = await rekindle(sequence, '--scenario', file('scenario.yaml', text));
    expect([status, said]).toEqual([1, expect.stringMatching(message)]);
  });

  test('in a sequence are named as when it is published', async () => {
    const { status, said } = await rekindle(file('wrong.yaml', 'sequence: Wrong name\n'));
    expect(status).toBe(1);
    expect(said).toMatch(/wrong\.yaml:1:1: /);
  });

  test.each([[[]], [['nowhere.yaml']], [[sequence, 'more']], [[sequence, '--scenario', 'nowhere.yaml']], [[sequence, '--speed', '9']]])(
    'on the command line end with 2: %j',
    async (args) => {
      const { status, complained } = await rekindle(...args);
      expect(status).toBe(2);
      expect(complained).toContain('rekindle rehearse <sequence | file.yaml>');
    },
  );

  test('of the time are named as the option', async () => {
    expect(await rekindle(sequence, '--from', 'yesterday')).toMatchObject({ status: 1, said: expect.stringMatching(/--from.*is no local time/) });
  });
});

import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import mjml2html from 'mjml';
import type { WrittenWords } from '../../../domain/composition/words.ts';
import type { AnySubjectKind } from '../../../domain/subjects/index.ts';
import { type CopyPart, type CopySource, CopySourceError, refuseProblems } from '../../copy-source.ts';
import { lintAddresses, lintLiquid } from '../../lint-liquid.ts';
import { htmlEngine, textEngine } from '../../liquid.ts';
import { samplesOf } from '../../samples.ts';
import { readBlock } from '../../subjects/index.ts';
import type { CompiledEmail } from './compiled.ts';
import { bodyAsHtml, bodyAsText, type EmailCopy, lineAsHtml, parseEmailCopy } from './copy.ts';
import { lintRendered } from './lint.ts';
import { type EmailFacts, emailView } from './view.ts';

/** What surrounds the copy: MJML for the HTML part, Liquid for the text part, both with slots like `[[opening]]`. */
interface EmailLayout {
  html: CopySource;
  text: CopySource;
}

/** Read the layout that ships with Rekindle, beside this file. */
async function readLayout(): Promise<EmailLayout> {
  const read = async (name: string): Promise<CopySource> => ({
    file: `content/channels/email/${name}`,
    text: await readFile(fileURLToPath(new URL(name, import.meta.url)), 'utf8'),
  });
  const [html, text] = await Promise.all([read('layout.mjml'), read('layout.text.liquid')]);
  return { html, text };
}

/** The samples, rendered as emails. */
function emailSamples(kind: AnySubjectKind): { name: string; facts: EmailFacts }[] {
  return samplesOf(kind).map(({ name, facts }) => ({
    name,
    facts: {
      ...facts,
      subjectUrl: kind.link(facts.subject.details),
      unsubscribeUrl: 'https://mail.example.com/u/sample-token',
      openPixelUrl: facts.synthetic ? 'https://mail.example.com/o/sample-token.gif' : null,
    },
  }));
}

/**
 * Compile one copy file with the layout into the templates that a published version stores. The only place where MJML runs.
 * @param kind - what the email is about
 * @param words - a model's, with which a layout for such words is tried
 * @throws CopySourceError with every problem found, each with file and line: bad syntax, unknown variables, addresses that are
 * not https, and emails that would go out without unsubscribe link or postal address or with a hole in them
 */
export async function compileEmail(source: CopySource, kind: AnySubjectKind, words?: WrittenWords): Promise<CompiledEmail> {
  const [layout, blockHtml, blockText] = await Promise.all([readLayout(), readBlock(kind, 'html'), readBlock(kind, 'text')]);
  const copy = parseEmailCopy(source, kind.kind);
  const samples = emailSamples(kind).map(({ name, facts }) => ({ name, facts: words === undefined ? facts : { ...facts, words } }));
  const views = samples.map(({ facts }) => emailView(facts));
  const because: CopyPart = copy.because ?? { liquid: kind.words.because, line: 1 };
  refuseProblems([
    ...[copy.subject, copy.preheader, copy.heading, copy.cta, because, copy.opening, copy.closing].flatMap((part) =>
      lintLiquid(textEngine, copy.file, part, views),
    ),
    ...[layout.html, blockHtml].flatMap(({ file, text }) => lintLiquid(htmlEngine, file, { liquid: text, line: 1 }, views)),
    ...[layout.text, blockText].flatMap(({ file, text }) => lintLiquid(textEngine, file, { liquid: text, line: 1 }, views)),
    ...[source, layout.html, layout.text, blockHtml, blockText].flatMap(lintAddresses),
  ]);

  const mjml = fill(layout.html.text, { block: blockHtml.text });
  const compiled: CompiledEmail = {
    subject: copy.subject.liquid,
    html: fill(await compileMjml({ file: layout.html.file, text: fill(mjml, directions(copy.language)) }), {
      subject: lineAsHtml(copy.subject.liquid),
      preheader: lineAsHtml(copy.preheader.liquid),
      heading: lineAsHtml(copy.heading.liquid),
      cta: lineAsHtml(copy.cta.liquid),
      because: lineAsHtml(because.liquid),
      opening: bodyAsHtml(copy.opening.liquid),
      closing: bodyAsHtml(copy.closing.liquid),
    }),
    text: fill(fill(layout.text.text, { block: blockText.text }), { ...textSlots(copy), because: because.liquid, ...isolation(copy.language) }),
  };
  refuseProblems(lintRendered(compiled, copy.file, samples));
  return compiled;
}

/** The layout that takes a model's words in the place of a file's. */
export async function compileModelEmail(kind: AnySubjectKind): Promise<Record<'' | '.rtl', CompiledEmail>> {
  const compileIn = async (language: string): Promise<CompiledEmail> => {
    const text = `---
subject: '{{ words.subject }}'
preheader: '{{ words.preheader }}'
heading: '{{ words.subject }}'
cta: '{{ words.cta }}'
language: ${language}
---
{% for paragraph in words.paragraphs %}
{{ paragraph }}

{% endfor %}
[${kind.kind}]
`;
    const compiled = await compileEmail({ file: 'the layout for texts of a model', text }, kind, sampleWords);
    // The words say their language; the layout only its direction.
    return { ...compiled, html: compiled.html.replaceAll(`lang="${language}"`, 'lang="{{ words.language }}"') };
  };
  return { '': await compileIn('en'), '.rtl': await compileIn('fa') };
}

const sampleWords: WrittenWords = { subject: 'It is still here', body: 'Nothing is lost.\n\nTake your time.', cta: 'Go on', language: 'en' };

function textSlots(copy: EmailCopy): Record<string, string> {
  return {
    heading: copy.heading.liquid,
    cta: copy.cta.liquid,
    opening: bodyAsText(copy.opening.liquid),
    closing: bodyAsText(copy.closing.liquid),
  };
}

const rightToLeftScripts = new Set(['Adlm', 'Arab', 'Hebr', 'Nkoo', 'Rohg', 'Syrc', 'Thaa']);

function isRightToLeft(language: string): boolean {
  try {
    return rightToLeftScripts.has(new Intl.Locale(language.replaceAll('_', '-')).maximize().script ?? '');
  } catch {
    return false;
  }
}

function directions(language: string): Record<string, string> {
  const rtl = isRightToLeft(language);
  const [start, end] = rtl ? ['right', 'left'] : ['left', 'right'];
  return { lang: language.replaceAll('_', '-'), dir: rtl ? 'rtl' : 'ltr', start, end, ...isolation(language) };
}

/**
 * Marks around amounts and names in right-to-left copy: without them `89,00 €` reads `€ 89,00` there. In left-to-right copy the values are
 * isolated one by one, where they need it.
 */
function isolation(language: string): { isolate: string; pop: string } {
  return isRightToLeft(language) ? { isolate: '\u2068', pop: '\u2069' } : { isolate: '', pop: '' };
}

function fill(template: string, slots: Record<string, string>): string {
  return template.replace(/\[\[(\w+)\]\]/g, (slot, name: string) => slots[name] ?? slot);
}

async function compileMjml({ file, text }: CopySource): Promise<string> {
  // `fonts: {}`: no font is fetched from anyone.
  const { html, errors } = await mjml2html(text, { fonts: {}, keepComments: false, validationLevel: 'soft' }).catch((error: unknown) => {
    throw new CopySourceError([{ file, line: null, message: error instanceof Error ? error.message : String(error) }]);
  });
  // MJML knows colours only as literals; the brand's is a Liquid variable, checked when it is rendered.
  const faults = errors.filter(({ message }) => !/has invalid value: \{\{ [\w.]+ \}\} for type Color/.test(message));
  refuseProblems(faults.map(({ line, message, tagName }) => ({ file, line, message: `${tagName}: ${message.trim()}` })));
  return html.replace(/\n\s+/g, '\n');
}

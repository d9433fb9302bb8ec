import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { WrittenWords } from '../../../domain/composition/words.ts';
import type { AnySubjectKind } from '../../../domain/subjects/index.ts';
import { type CopyPart, type CopySource, CopySourceError, refuseProblems, type SourceProblem } from '../../copy-source.ts';
import { isRightToLeft } from '../../../domain/languages.ts';
import { type FixedWords, fixedWordsOf } from '../../fixed-words.ts';
import { checkedLanguages } from '../../model/vocabulary.ts';
import { lintAddresses, lintLiquid } from '../../lint-liquid.ts';
import { htmlEngine, textEngine } from '../../liquid.ts';
import { samplesOf } from '../../samples.ts';
import { readBlock } from '../../subjects/index.ts';
import type { CompiledEmail } from './compiled.ts';
import { bodyAsHtml, bodyAsText, type EmailCopy, lineAsHtml, parseEmailCopy } from './copy.ts';
import { lintRendered } from './lint.ts';
import { type EmailFacts, type EmailView, emailView } from './view.ts';

/** What surrounds the copy: MJML for the HTML part, Liquid for the text part, both with slots like `[[opening]]`. */
interface EmailLayout {
  html: CopySource;
  text: CopySource;
}

/** Read the layout that ships with Rekindle, beside this file, with its words. */
async function readLayout(words: FixedWords): Promise<EmailLayout> {
  const read = async (name: string): Promise<CopySource> => ({
    file: `content/channels/email/${name}`,
    text: await readFile(fileURLToPath(new URL(name, import.meta.url)), 'utf8'),
  });
  const [html, text] = await Promise.all([read('layout.mjml'), read('layout.text.liquid')]);
  return { html: withWords(html, words, 'html'), text: withWords(text, words, 'text') };
}

async function readWordedBlock(kind: AnySubjectKind, part: 'html' | 'text', words: FixedWords): Promise<CopySource> {
  return withWords(await readBlock(kind, part), words, part);
}

/** Slots with the names of fixed words are filled before anything else: the words have slots of their own. */
function withWords({ file, text }: CopySource, words: FixedWords, part: 'html' | 'text'): CopySource {
  const lines = Object.entries(words).flatMap(([name, line]) =>
    typeof line === 'string' ? [[name, part === 'html' ? lineAsHtml(line) : line]] : [],
  );
  const before = { html: '<s>{{ item.compareAt }}</s>', text: '{{ item.compareAt }}' }[part];
  return { file, text: fill(fill(text, Object.fromEntries(lines)), { price: '{{ item.unitPrice }}', before }) };
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

// The same for every text about a kind of subject in a language, as what surrounds the texts is.
const viewsBefore = new WeakMap<AnySubjectKind, Map<string, SampleView[]>>();
const mostLanguages = 100;

interface SampleView {
  /** Of the sample. */
  name: string;
  view: EmailView;
}

function sampleViews(kind: AnySubjectKind, language: string, words?: WrittenWords): SampleView[] {
  const view = (facts: EmailFacts) => emailView(facts, language);
  if (words !== undefined) return emailSamples(kind).map(({ name, facts }) => ({ name, view: view({ ...facts, words }) }));
  const ofKind = viewsBefore.get(kind) ?? new Map<string, SampleView[]>();
  viewsBefore.set(kind, ofKind);
  const known = ofKind.get(language);
  if (known !== undefined) return known;
  if (ofKind.size >= mostLanguages) ofKind.clear();
  const views = emailSamples(kind).map(({ name, facts }) => ({ name, view: view(facts) }));
  ofKind.set(language, views);
  return views;
}

/**
 * Compile one copy file with the layout into the templates that a published version stores. The only place where MJML runs.
 * @param kind - what the email is about
 * @param language - that the name of the file gives; null: as the file itself says
 * @param modelWords - with which a layout for a model's words is tried
 * @throws CopySourceError with every problem found, each with file and line: bad syntax, unknown variables, addresses that are
 * not https, and emails that would go out without unsubscribe link or postal address or with a hole in them
 */
export async function compileEmail(
  source: CopySource,
  kind: AnySubjectKind,
  language: string | null = null,
  modelWords?: WrittenWords,
): Promise<CompiledEmail> {
  const copy = parseEmailCopy(source, kind.kind, language);
  const words = fixedWordsOf(copy.language);
  const [layout, blockHtml, blockText] = await Promise.all([
    readLayout(words),
    readWordedBlock(kind, 'html', words),
    readWordedBlock(kind, 'text', words),
  ]);
  const samples = sampleViews(kind, copy.language, modelWords);
  const views = samples.map(({ view }) => view);
  const because: CopyPart = copy.because ?? { liquid: becauseOf(kind, copy.language), line: 1 };
  refuseProblems([
    ...[copy.subject, copy.preheader, copy.heading, copy.cta, because, copy.opening, copy.closing].flatMap((part) =>
      lintLiquid(textEngine, copy.file, part, views),
    ),
    ...lintSurroundings({ kind, language: copy.language }, { html: [layout.html, blockHtml], text: [layout.text, blockText] }, views),
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
    text: fill(fill(layout.text.text, { block: blockText.text }), { ...textSlots(copy), because: because.liquid }),
    language: copy.language,
    preheader: copy.preheader.liquid,
    cta: copy.cta.liquid,
  };
  refuseProblems(lintRendered(compiled, copy.file, samples));
  return compiled;
}

/** In each language that a model writes in, the layout that takes its words in the place of a file's. */
export async function compileModelEmail(kind: AnySubjectKind): Promise<Record<string, CompiledEmail>> {
  const text = `---
subject: '{{ words.subject }}'
preheader: '{{ words.preheader }}'
heading: '{{ words.subject }}'
cta: '{{ words.cta }}'
---
{% for paragraph in words.paragraphs %}
{{ paragraph }}

{% endfor %}
[${kind.kind}]
`;
  const layouts = checkedLanguages.map(async (language): Promise<[string, CompiledEmail]> => {
    const words = { subject: 'It is still here', body: 'Nothing is lost.\n\nTake your time.', cta: 'Go on', language };
    return [language, await compileEmail({ file: 'the layout for texts of a model', text }, kind, language, words)];
  });
  return Object.fromEntries(await Promise.all(layouts));
}

// The same for every text about a kind of subject in a language.
const surroundingsLinted = new WeakMap<AnySubjectKind, Map<string, SourceProblem[]>>();

/** Check what surrounds the copy, with the variables that the copy has. */
function lintSurroundings(
  { kind, language }: { kind: AnySubjectKind; language: string },
  { html, text }: { html: CopySource[]; text: CopySource[] },
  views: readonly object[],
): SourceProblem[] {
  const ofKind = surroundingsLinted.get(kind) ?? new Map<string, SourceProblem[]>();
  surroundingsLinted.set(kind, ofKind);
  const known = ofKind.get(language);
  if (known !== undefined) return known;
  const problems = [
    ...html.flatMap((source) => lintLiquid(htmlEngine, source.file, { liquid: source.text, line: 1 }, views)),
    ...text.flatMap((source) => lintLiquid(textEngine, source.file, { liquid: source.text, line: 1 }, views)),
  ];
  ofKind.set(language, problems);
  return problems;
}

function textSlots(copy: EmailCopy): Record<string, string> {
  return {
    heading: copy.heading.liquid,
    cta: copy.cta.liquid,
    opening: bodyAsText(copy.opening.liquid),
    closing: bodyAsText(copy.closing.liquid),
  };
}

/** The clause "because …" of a text whose own copy gives none. */
function becauseOf({ kind, words }: AnySubjectKind, language: string): string {
  const { because } = fixedWordsOf(language);
  const own = new Map<string, string>(Object.entries(because)).get(kind);
  // A kind without a clause of ours has one in English.
  return own ?? (fixedWordsOf(language) === fixedWordsOf('en') ? words.because : because.other);
}

function directions(language: string): Record<string, string> {
  const rtl = isRightToLeft(language);
  const [start, end] = rtl ? ['right', 'left'] : ['left', 'right'];
  // Letters of Arabic are joined: spacing tears them apart.
  return { lang: language, dir: rtl ? 'rtl' : 'ltr', start, end, tracking: rtl ? 'normal' : '-0.4px' };
}

function fill(template: string, slots: Record<string, string>): string {
  return template.replace(/\[\[(\w+)\]\]/g, (slot, name: string) => slots[name] ?? slot);
}

// The layout of a kind of subject in a language is the same for all of its texts, and most of the work.
const compiledBefore = new Map<string, Promise<string>>();
const mostKept = 60;

function compileMjml(source: CopySource): Promise<string> {
  const before = compiledBefore.get(source.text);
  if (before !== undefined) return before;
  for (const oldest of [...compiledBefore.keys()].slice(0, compiledBefore.size - mostKept + 1)) compiledBefore.delete(oldest);
  const compiling = compileLayout(source);
  compiledBefore.set(source.text, compiling);
  return compiling;
}

async function compileLayout({ file, text }: CopySource): Promise<string> {
  // Loaded by whoever compiles: it brings six hundred modules, and a process whose presets are compiled already needs none of them.
  const { default: mjml2html } = await import('mjml');
  // `fonts: {}`: no font is fetched from anyone.
  const { html, errors } = await mjml2html(text, { fonts: {}, keepComments: false, validationLevel: 'soft' }).catch((error: unknown) => {
    throw new CopySourceError([{ file, line: null, message: error instanceof Error ? error.message : String(error) }]);
  });
  // MJML knows colours only as literals; the brand's is a Liquid variable, checked when it is rendered.
  const faults = errors.filter(({ message }) => !/has invalid value: \{\{ [\w.]+ \}\} for type Color/.test(message));
  refuseProblems(faults.map(({ line, message, tagName }) => ({ file, line, message: `${tagName}: ${message.trim()}` })));
  return html.replace(/\n\s+/g, '\n');
}

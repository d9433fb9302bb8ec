import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import mjml2html from 'mjml';
import type { CompiledEmail } from '../domain/compiled-email.ts';
import { bodyAsHtml, bodyAsText, type EmailCopy, type EmailSource, lineAsHtml, parseEmailCopy } from './email-copy.ts';
import { lintAddresses, lintLiquid, lintRendered } from './lint-email.ts';
import { htmlEngine, textEngine } from './liquid.ts';
import { EmailSourceError, type SourceProblem } from './source-problem.ts';

/** What surrounds the copy: MJML for the HTML part, Liquid for the text part, both with slots like `[[opening]]`. */
export interface EmailLayout {
  html: EmailSource;
  text: EmailSource;
}

/** Read the layout that ships with Rekindle, beside this file. */
async function readLayout(): Promise<EmailLayout> {
  const [html, text] = await Promise.all(
    ['layout.mjml', 'layout.text.liquid'].map(async (name) => ({
      file: `content/${name}`,
      text: await readFile(fileURLToPath(new URL(name, import.meta.url)), 'utf8'),
    })),
  );
  if (html === undefined || text === undefined) throw new Error('unreachable: two names give two files');
  return { html, text };
}

/**
 * Compile one copy file with the layout into the templates that a published version stores. The only place where MJML runs.
 * @throws EmailSourceError with every problem found, each with file and line: bad syntax, unknown variables, addresses that are
 * not https, and mails that would go out without unsubscribe link or postal address or with a hole in them
 */
export async function compileEmail(source: EmailSource, layout?: EmailLayout): Promise<CompiledEmail> {
  const { html: mjml, text } = layout ?? (await readLayout());
  const copy = parseEmailCopy(source);
  refuse([
    ...[copy.subject, copy.preheader, copy.heading, copy.cta, copy.opening, copy.closing].flatMap((part) => lintLiquid(textEngine, copy.file, part)),
    ...lintLiquid(htmlEngine, mjml.file, { liquid: mjml.text, line: 1 }),
    ...lintLiquid(textEngine, text.file, { liquid: text.text, line: 1 }),
    ...[source, mjml, text].flatMap(lintAddresses),
  ]);

  const compiled: CompiledEmail = {
    subject: copy.subject.liquid,
    html: fill(await compileMjml({ ...mjml, text: fill(mjml.text, directions(copy.language)) }), {
      subject: lineAsHtml(copy.subject.liquid),
      preheader: lineAsHtml(copy.preheader.liquid),
      heading: lineAsHtml(copy.heading.liquid),
      cta: lineAsHtml(copy.cta.liquid),
      opening: bodyAsHtml(copy.opening.liquid),
      closing: bodyAsHtml(copy.closing.liquid),
    }),
    text: fill(text.text, { ...textSlots(copy), ...isolation(copy.language) }),
  };
  refuse(lintRendered(compiled, copy.file));
  return compiled;
}

function refuse(problems: SourceProblem[]): void {
  if (problems.length > 0) throw new EmailSourceError(problems);
}

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
 * What stands around amounts and names in right-to-left copy: without it `89,00 €` reads `€ 89,00` there. In left-to-right copy the values are
 * isolated one by one, where they need it.
 */
function isolation(language: string): { isolate: string; pop: string } {
  return isRightToLeft(language) ? { isolate: '\u2068', pop: '\u2069' } : { isolate: '', pop: '' };
}

function fill(template: string, slots: Record<string, string>): string {
  return template.replace(/\[\[(\w+)\]\]/g, (slot, name: string) => slots[name] ?? slot);
}

async function compileMjml({ file, text }: EmailSource): Promise<string> {
  // `fonts: {}`: no font is fetched from anyone.
  const { html, errors } = await mjml2html(text, { fonts: {}, keepComments: false, validationLevel: 'soft' }).catch((error: unknown) => {
    throw new EmailSourceError([{ file, line: null, message: error instanceof Error ? error.message : String(error) }]);
  });
  // MJML knows colours only as literals; the brand's is a Liquid variable, checked when it is rendered.
  const faults = errors.filter(({ message }) => !/has invalid value: \{\{ [\w.]+ \}\} for type Color/.test(message));
  refuse(faults.map(({ line, message, tagName }) => ({ file, line, message: `${tagName}: ${message.trim()}` })));
  return html.replace(/\n\s+/g, '\n');
}

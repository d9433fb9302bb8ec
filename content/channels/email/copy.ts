import { z } from 'zod';
import { type CopyPart, type CopySource, CopySourceError, languageOfCopy } from '../../copy-source.ts';
import { missingFrontMatter, oneLine, readFrontMatter } from '../../front-matter.ts';
import { type Block, withinTheirClaims } from './claim-blocks.ts';
import { escapeHtml } from '../../escape-html.ts';

/** The copy of one email, as read from a file. */
export interface EmailCopy {
  file: string;
  /** BCP 47 language of the words; sets `lang` and `dir`. */
  language: string;
  subject: CopyPart;
  preheader: CopyPart;
  heading: CopyPart;
  cta: CopyPart;
  /** Completes the sentence "You are getting this email because …", in its language; null: in the words of its kind of subject. */
  because: CopyPart | null;
  /** Before the subject and its button. */
  opening: CopyPart;
  /** After them. */
  closing: CopyPart;
}

const frontMatter = z.strictObject({
  subject: oneLine,
  preheader: oneLine,
  heading: oneLine,
  cta: oneLine,
  language: oneLine.optional(),
  because: oneLine.optional(),
});

/**
 * Read a copy file: YAML front matter (`subject`, `preheader`, `heading`, `cta`, optional `language` and `because`), then the body in Liquid.
 * The body's one line `[cart]` (or the name of whatever kind of subject the email is about) stands for the subject and the button. Around it: paragraphs parted by blank lines, `## ` before
 * a small heading, `> ` before a quotation, `**bold**`; a line of Liquid tags alone belongs to no paragraph.
 * @param namedLanguage - the language that the name of the file gives; null: none
 * @throws CopySourceError naming file and line
 */
export function parseEmailCopy(source: CopySource, subjectKind: string, namedLanguage: string | null): EmailCopy {
  const { file } = source;
  const subjectMark = `[${subjectKind}]`;
  const { fields, body, bodyLine, lineOf } = readFrontMatter(source, frontMatter, missingFrontMatter);
  const lines = body.split('\n');
  const marks = lines.flatMap((line, at) => (line.trim() === subjectMark ? [at] : []));
  const [mark] = marks;
  if (mark === undefined || marks.length > 1) {
    const line = marks[1] === undefined ? null : bodyLine + marks[1];
    throw new CopySourceError([
      { file, line, message: `the body needs exactly one line ${subjectMark}, where the ${subjectKind} and the button stand` },
    ]);
  }
  const { subject, preheader, heading, cta, language, because } = fields;
  return {
    file,
    language: languageOfCopy(source, lineOf('language'), language, namedLanguage),
    subject: { liquid: subject, line: lineOf('subject') },
    preheader: { liquid: preheader, line: lineOf('preheader') },
    heading: { liquid: heading, line: lineOf('heading') },
    cta: { liquid: cta, line: lineOf('cta') },
    because: because === undefined ? null : { liquid: because, line: lineOf('because') },
    opening: { liquid: lines.slice(0, mark).join('\n'), line: bodyLine },
    closing: { liquid: lines.slice(mark + 1).join('\n'), line: bodyLine + mark + 1 },
  };
}

const tagsAlone = /^(?:\{%(?:(?!%\}).)*%\}\s*)+$/;

function blocksOf(body: string): Block[] {
  const blocks: Block[] = [];
  let open: Block | null = null;
  for (const line of body.split('\n').map((each) => each.trim())) {
    const [kind, content] = kindOf(line);
    if (kind === null) open = null;
    else if (open !== null && open.kind === kind && (kind === 'paragraph' || kind === 'quotation')) open.lines.push(content);
    else blocks.push((open = { kind, lines: [content] }));
  }
  return withinTheirClaims(blocks);
}

function kindOf(line: string): [Block['kind'] | null, string] {
  if (line === '') return [null, ''];
  if (tagsAlone.test(line)) return ['tags', line];
  if (line.startsWith('## ')) return ['heading', line.slice(3).trim()];
  if (line.startsWith('> ')) return ['quotation', line.slice(2).trim()];
  return ['paragraph', line];
}

/** The body as HTML with Liquid in it. Words are escaped: copy cannot carry markup. Classes are the layout's. */
export function bodyAsHtml(body: string): string {
  return blocksOf(body)
    .map(({ kind, lines }) => {
      if (kind === 'tags') return lines.join('\n');
      if (kind === 'heading')
        return `<h2 class="ink" style="color:#1c1d20;margin:28px 0 6px;font-size:17px;line-height:24px;font-weight:600">${asHtml(lines.join(' '))}</h2>`;
      if (kind === 'quotation') {
        const quotation = lines.map(asHtml).join('<br>\n');
        return `<blockquote class="quote" style="margin:0 0 16px;padding:14px 18px;background:#f6f6f4;border-radius:10px">${quotation}</blockquote>`;
      }
      return `<p style="margin:0 0 14px">${asHtml(lines.join('\n'))}</p>`;
    })
    .join('\n');
}

/** The body as plain text with Liquid in it. */
export function bodyAsText(body: string): string {
  return blocksOf(body)
    .map(({ kind, lines }) => {
      // Glued to the next block: a tag leaves no blank line of its own.
      if (kind === 'tags') return lines.join('');
      if (kind === 'heading') return `\n\n${asText(lines.join(' '))}\n`;
      return `\n${asText(kind === 'quotation' ? lines.join('\n') : lines.join(' '))}\n`;
    })
    .join('');
}

/** Escape the text outside of Liquid tags, for parts without markup. */
export function lineAsHtml(liquid: string): string {
  return outsideLiquid(liquid, escapeHtml);
}

function asHtml(liquid: string): string {
  return lineAsHtml(liquid)
    .replace(/\*\*(.+?)\*\*/g, '<strong class="ink" style="color:#1c1d20">$1</strong>')
    .replaceAll(
      '{{ store.supportEmail }}',
      '<a class="ink" style="color:#1c1d20" href="mailto:{{ store.supportEmail }}">{{ store.supportEmail }}</a>',
    );
}

function asText(liquid: string): string {
  return liquid.replace(/\*\*(.+?)\*\*/g, '$1');
}

function outsideLiquid(liquid: string, change: (text: string) => string): string {
  return liquid
    .split(/(\{\{[\s\S]*?\}\}|\{%[\s\S]*?%\})/)
    .map((piece, at) => (at % 2 === 1 ? piece : change(piece)))
    .join('');
}

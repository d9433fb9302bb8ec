/** What a model has written for one step. Plain text: paragraphs are parted by blank lines, and there is no markup in it. */
export interface WrittenWords {
  /** Empty on a channel without subjects. */
  subject: string;
  body: string;
  /** What the button says; empty on a channel without one. */
  cta: string;
  /** BCP 47. */
  language: string;
}

/** The words as layouts print them. */
export interface WordsView {
  subject: string;
  preheader: string;
  paragraphs: string[];
  /** All paragraphs in one line. */
  body: string;
  cta: string;
  language: string;
}

/** How much of the text stands beside the subject in a mailbox. */
const preheaderLength = 90;

export function wordsView({ subject, body, cta, language }: WrittenWords): WordsView {
  const paragraphs = body
    .split(/\n\s*\n/)
    .map((paragraph) => paragraph.replace(/\s+/g, ' ').trim())
    .filter((paragraph) => paragraph !== '');
  const line = paragraphs.join(' ');
  return { subject, preheader: shortened(line, preheaderLength), paragraphs, body: line, cta, language };
}

function shortened(text: string, most: number): string {
  if (text.length <= most) return text;
  const cut = text.slice(0, most - 1);
  return `${cut.slice(0, Math.max(cut.lastIndexOf(' '), most / 2))}…`;
}

import { z } from 'zod';

/** The three parts of an answer, as they were written. */
export interface Answer {
  subject: string;
  body: string;
  cta: string;
}

const structured = z.object({ subject: z.string(), body: z.string(), cta_text: z.string() });

/**
 * Read a model's answer: JSON by the schema that was asked for, or three parts labelled SUBJECT, BODY and CTA.
 * @returns null where it is neither
 */
export function parseAnswer(text: string): Answer | null {
  return fromJson(text) ?? fromLabels(text);
}

function fromJson(text: string): Answer | null {
  // Servers that know no structured output fence the JSON in.
  const bare = /^\s*```(?:json)?\s*\n([\s\S]*?)\n```\s*$/.exec(text)?.[1] ?? text;
  try {
    const read = structured.safeParse(JSON.parse(bare));
    if (!read.success) return null;
    const { subject, body, cta_text: cta } = read.data;
    return trimmed({ subject, body, cta });
  } catch {
    return null;
  }
}

const label = /^[ \t]*(?:\*\*)?(SUBJECT|BODY|CTA)(?:\*\*)?[ \t]*:(?:\*\*)?[ \t]*/gim;

/** Each label once, in this order: what comes before the first, or a label twice, makes the parts uncertain. */
function fromLabels(text: string): Answer | null {
  const marks = [...text.matchAll(label)];
  const names = marks.map(([, name = '']) => name.toUpperCase());
  if (names.join(' ') !== 'SUBJECT BODY CTA' || text.slice(0, marks[0]?.index ?? 0).trim() !== '') return null;
  const part = (at: number) => text.slice((marks[at]?.index ?? 0) + (marks[at]?.[0].length ?? 0), marks[at + 1]?.index ?? text.length);
  return trimmed({ subject: part(0), body: part(1), cta: part(2) });
}

function trimmed({ subject, body, cta }: Answer): Answer {
  return { subject: subject.trim(), body: body.replaceAll('\r', '').trim(), cta: cta.trim() };
}

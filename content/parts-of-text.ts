/** The texts of a compiled copy that its person reads, in their order; none: it has no words of ours. */
export function partsOfText(compiled: unknown): string[] {
  if (typeof compiled !== 'object' || compiled === null) return [];
  const fields: Partial<Record<string, unknown>> = { ...compiled };
  return ['subject', 'title', 'heading', 'text', 'cta'].flatMap((name) => {
    const part = fields[name];
    return typeof part === 'string' ? [withoutLiquid(part)] : [];
  });
}

/** What is filled in or decided when the message is made is no word: phrases end there, as at a line break. */
const withoutLiquid = (text: string) => text.replace(/\{\{[\s\S]*?\}\}|\{%[\s\S]*?%\}/gu, '\n').replace(/\bhttps?:\/\/\S+/gu, '\n');

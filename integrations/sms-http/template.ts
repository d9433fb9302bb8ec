/** What a template may name beside secrets. */
const known = ['to', 'toDigits', 'text', 'from', 'key', 'webhookUrl'] as const;
export type Placeholder = (typeof known)[number];

/** null: there is no such value, and the place stays empty. */
export type Values = Readonly<Record<Placeholder, string | null>>;

const mark = /\{\{\s*([\w.-]+)\s*\}\}/g;
const secretMark = /^secret\.([\w-]+)$/;

/** The names in a template. */
export function placeholdersIn(template: string): { known: string[]; secrets: string[]; unknown: string[] } {
  const names = [...template.matchAll(mark)].map(([, name = '']) => name);
  const isKnown = (name: string) => known.some((one) => one === name);
  return {
    known: names.filter(isKnown),
    secrets: names.flatMap((name) => secretMark.exec(name)?.[1] ?? []),
    unknown: names.filter((name) => !isKnown(name) && !secretMark.test(name)),
  };
}

/** Fill a template once: what stands in a value is never taken for a placeholder. */
export function filled(template: string, values: Values, secrets: Readonly<Record<string, string>>): string {
  return template.replace(mark, (_all, name: string) => {
    const secret = secretMark.exec(name)?.[1];
    return (secret === undefined ? values[name as Placeholder] : secrets[secret]) ?? '';
  });
}

// Making one takes as long as rendering a message, and a message needs a dozen of the same few.
const made = new Map<string, Intl.NumberFormat>();
const mostKept = 500;

/** @param locale - one that Intl can use */
export function numberFormat(locale: string, options: Intl.NumberFormatOptions = {}): Intl.NumberFormat {
  const key = `${locale} ${JSON.stringify(options)}`;
  const known = made.get(key);
  if (known !== undefined) return known;
  for (const oldest of [...made.keys()].slice(0, made.size - mostKept + 1)) made.delete(oldest);
  const format = new Intl.NumberFormat(locale, options);
  made.set(key, format);
  return format;
}

// Making a format takes as long as rendering a message, and a message needs a dozen of the same few.
const mostKept = 500;

function kept<Format, Options extends object>(make: (locale: string, options: Options) => Format): (locale: string, options: Options) => Format {
  const made = new Map<string, Format>();
  return (locale, options) => {
    const key = `${locale} ${JSON.stringify(options)}`;
    const known = made.get(key);
    if (known !== undefined) return known;
    for (const oldest of [...made.keys()].slice(0, made.size - mostKept + 1)) made.delete(oldest);
    const format = make(locale, options);
    made.set(key, format);
    return format;
  };
}

const numberFormats = kept((locale, options: Intl.NumberFormatOptions) => new Intl.NumberFormat(locale, options));

/** @param locale - one that Intl can use */
export const numberFormat = (locale: string, options: Intl.NumberFormatOptions = {}): Intl.NumberFormat => numberFormats(locale, options);

/**
 * @param locale - one that Intl can use
 * @throws RangeError where Intl does not know the time zone
 */
export const dateTimeFormat = kept((locale, options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(locale, options));

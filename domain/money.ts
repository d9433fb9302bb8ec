const digitsByCurrency = new Map<string, number>();

/**
 * Decimals of a currency by ISO 4217: 2 for EUR, 0 for JPY, 3 for KWD.
 * @returns null where `currency` is no three-letter code
 */
export function minorDigits(currency: string): number | null {
  if (!/^[A-Z]{3}$/i.test(currency)) return null;
  const code = currency.toUpperCase();
  const known = digitsByCurrency.get(code);
  if (known !== undefined) return known;
  const digits = new Intl.NumberFormat('en', { style: 'currency', currency: code }).resolvedOptions().maximumFractionDigits ?? 2;
  digitsByCurrency.set(code, digits);
  return digits;
}

// ISO 4217, table A.1, as of 2026. Not from `Intl`: its data changes with Node, and stored amounts must keep their meaning.
const withoutMinorUnit = new Set('BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'.split(' '));
const withThreeDigits = new Set('BHD IQD JOD KWD LYD OMR TND'.split(' '));
const withFourDigits = new Set(['CLF', 'UYW']);

/**
 * Decimal places of a currency's minor unit.
 * @param currency - ISO 4217 code in any case
 * @returns 0 for JPY, 2 for EUR and every code that the table does not name, 3 for KWD; null for what is no three-letter code
 */
export function minorDigits(currency: string): number | null {
  const code = currency.toUpperCase();
  if (!/^[A-Z]{3}$/.test(code)) return null;
  if (withoutMinorUnit.has(code)) return 0;
  if (withThreeDigits.has(code)) return 3;
  return withFourDigits.has(code) ? 4 : 2;
}

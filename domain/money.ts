// ISO 4217, tables A.1 and A.3, as of 2026. Not from `Intl`: its data changes with Node, and stored amounts must keep their meaning.
const currencies = new Set(
  `AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUP
  CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR
  KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN
  PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX
  USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG`.split(/\s+/),
);
// Withdrawn since 2010: older carts and orders have them, and shops keep writing them for a while.
const withdrawn = new Set('ANG BGN BYR CUC EEK HRK LTL LVL MRO SLL STD VEF ZMK ZWL'.split(' '));
const withoutMinorUnit = new Set('BIF BYR CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'.split(' '));
const withThreeDigits = new Set('BHD IQD JOD KWD LYD OMR TND'.split(' '));
const withFourDigits = new Set(['CLF', 'UYW']);

/**
 * Decimal places of a currency's minor unit.
 * @param currency - ISO 4217 code in any case
 * @returns 0 for JPY, 2 for EUR, 3 for KWD; null for what is no currency that a cart can be priced in: no code of the standard (`XXQ`, `BTC`),
 * its test and no-currency codes, metals and units of account
 */
export function minorDigits(currency: string): number | null {
  const code = currency.toUpperCase();
  if (!currencies.has(code) && !withdrawn.has(code)) return null;
  if (withoutMinorUnit.has(code)) return 0;
  if (withThreeDigits.has(code)) return 3;
  return withFourDigits.has(code) ? 4 : 2;
}

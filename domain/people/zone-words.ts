/** What the gate `quiet_hours` stores with a decision (`domain/gates/quiet-hours.ts`), or stored before it knew several zones. */
export type QuietHoursInput = Readonly<Record<string, string | number | boolean | null>>;

/** Why a step waits, as a sentence that never claims to know where somebody lives. */
export function quietHoursSentence(input: QuietHoursInput): string {
  return `Quiet hours${quietHoursWords(input)}.`;
}

/**
 * Which hours are kept, and on whose clock: ` from 21:00 to 08:00 in the United States (6 zones possible, no state known; kept in all of
 * them, UTC-10:00 to UTC-05:00)`.
 * @returns empty where the input names no hours
 */
export function quietHoursWords(input: QuietHoursInput): string {
  const { fromMinute, toMinute } = input;
  if (typeof fromMinute !== 'number' || typeof toMinute !== 'number') return '';
  const { where, why } = placeOf(input);
  const details = [...possible(input), ...why, ...kept(input)];
  const brackets = details.length === 0 ? '' : ` (${details.join('; ')})`;
  return ` from ${clock(fromMinute)} to ${clock(toMinute)}${where === '' ? '' : ` ${where}`}${brackets}`;
}

function placeOf({ zoneBasis, country, state }: QuietHoursInput): { where: string; why: string[] } {
  const place = typeof country === 'string' ? countryName(country) : 'an unknown country';
  switch (zoneBasis) {
    case 'stated':
      return { where: 'in the time zone that is stated for the person', why: [] };
    case 'region':
      return { where: `in the person’s region of ${place}`, why: [] };
    case 'country':
      return { where: `in ${place}`, why: [] };
    case 'phone':
      return {
        where: `in ${place}`,
        why: [typeof state === 'string' ? 'by the area code of the phone number' : 'by the country of the phone number'],
      };
    case 'store':
      return { where: 'in the time zone of the store', why: ['where the person lives is not known'] };
    default:
      return { where: '', why: [] };
  }
}

function possible({ clocks, zoneBasis, state }: QuietHoursInput): string[] {
  if (typeof clocks !== 'number') return [];
  return [`${clocks} zones possible${zoneBasis === 'region' || typeof state === 'string' ? '' : ', no state known'}`];
}

function kept({ utcOffsetMinutes, utcOffsetMinutesFrom: from, utcOffsetMinutesTo: to, clocks, clocksHeeded }: QuietHoursInput): string[] {
  if (typeof utcOffsetMinutes === 'number') return [utcOffset(utcOffsetMinutes)];
  if (typeof from !== 'number' || typeof to !== 'number') return [];
  const range = from === to ? utcOffset(from) : `${utcOffset(from)} to ${utcOffset(to)}`;
  if (clocks === clocksHeeded) return [`kept in all of them, ${range}`];
  return [
    `they leave no common hour of the day, so kept in the ${clocksHeeded === 1 ? 'one' : String(clocksHeeded)} where most people live, ${range}`,
  ];
}

const names = new Intl.DisplayNames('en', { type: 'region', fallback: 'code' });

/** With its article where English has one: "the United States", "Germany". */
function countryName(code: string): string {
  const name = /^[A-Z]{2}$/.test(code) ? (names.of(code) ?? code) : code;
  return /^United |Islands$|Republic$|Territor(?:y|ies)|^(?:Netherlands|Philippines|Bahamas|Maldives|Gambia|Comoros|Seychelles)$/.test(name)
    ? `the ${name}`
    : name;
}

const clock = (minutes: number) => `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(Math.floor(minutes % 60)).padStart(2, '0')}`;
const utcOffset = (minutes: number) => `UTC${minutes < 0 ? '-' : '+'}${clock(Math.abs(minutes))}`;

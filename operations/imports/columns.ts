import { fieldOf as metaFieldOf } from '../../integrations/meta/fields.ts';
import type { NewLead } from '../campaigns/create-lead.ts';

/** What a column of a file may hold. */
export const importFields = [
  ...['email', 'phone', 'firstName', 'lastName', 'fullName', 'externalId', 'sub_id', 'click_id', 'interest', 'message', 'url', 'area', 'preferences'],
  ...['value', 'currency', 'locale', 'timeZone', 'country', 'region'],
  ...['emailConsent', 'smsConsent', 'whatsappConsent', 'callConsent', 'consentWording'],
] as const;
export const ignoredColumn = 'ignore';

const otherNames: Readonly<Record<string, string>> = {
  ...{
    id: 'externalId',
    leadid: 'externalId',
    externalid: 'externalId',
    interest: 'interest',
    product: 'interest',
    message: 'message',
    note: 'message',
  },
  ...{
    url: 'url',
    page: 'url',
    area: 'area',
    city: 'area',
    preferences: 'preferences',
    requirements: 'preferences',
    value: 'value',
    budget: 'value',
    currency: 'currency',
    locale: 'locale',
    language: 'locale',
  },
  ...{ timezone: 'timeZone', country: 'country', region: 'region', state: 'region' },
  ...{ emailconsent: 'emailConsent', smsconsent: 'smsConsent', whatsappconsent: 'whatsappConsent', callconsent: 'callConsent' },
  ...{ emailoptin: 'emailConsent', smsoptin: 'smsConsent', whatsappoptin: 'whatsappConsent', calloptin: 'callConsent' },
  ...{ consentwording: 'consentWording', consenttext: 'consentWording' },
};
const plain = (name: string): string => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
const readPrefilled = metaFieldOf({});

export type HeaderRead =
  | { kind: 'read'; columns: (string | null)[]; ignored: string[] }
  /** The mapping names a column that the file does not have, or the file names nobody. */
  | { kind: 'wrong'; reason: string };

/**
 * What the columns of a file hold, by their names: as the caller says, else as names of form fields are understood in two dozen languages.
 * @param own - by the column's name; `ignore`: it is left out
 */
export function readHeader(header: readonly string[], own: Readonly<Record<string, string>>): HeaderRead {
  const names = header.map((name) => name.trim());
  const missing = Object.keys(own).filter((name) => !names.some((one) => plain(one) === plain(name)));
  const has = names.map((name) => `"${name}"`).join(', ');
  if (missing.length > 0) return { kind: 'wrong', reason: `the file has no column ${missing.map((name) => `"${name}"`).join(', ')}; it has ${has}` };
  const stated = new Map(Object.entries(own).map(([name, field]) => [plain(name), field]));
  const columns = names.map((name) => {
    const field = stated.get(plain(name)) ?? otherNames[plain(name)] ?? readPrefilled(name);
    return field === ignoredColumn ? null : field;
  });
  if (!columns.some((field) => field === 'email' || field === 'phone' || field === 'externalId'))
    return { kind: 'wrong', reason: `no column holds an email address, a telephone number or an id (${has}): say which one does, in \`columns\`` };
  const twice = columns.find((field, index) => field !== null && columns.indexOf(field) !== index);
  if (twice !== undefined) return { kind: 'wrong', reason: `two columns hold ${twice}: say which one counts, and "ignore" for the other` };
  return { kind: 'read', columns, ignored: names.filter((_name, index) => columns[index] === null) };
}

/** A row as a lead, or what is wrong with it. */
export type RowRead = { kind: 'lead'; lead: NewLead } | { kind: 'mistake'; reason: string };

export function readRow(fields: readonly string[], columns: readonly (string | null)[], source: string): RowRead {
  if (fields.length > columns.length)
    return {
      kind: 'mistake',
      reason: `has ${fields.length} fields, and the header ${columns.length}: put a text that has the delimiter in it into quotes`,
    };
  if (fields.some((field) => field.includes('\ufffd'))) return { kind: 'mistake', reason: 'is not UTF-8: save the file as UTF-8' };
  const of = (field: string): string | undefined => {
    const value = fields[columns.indexOf(field)]?.trim();
    return value === undefined || value === '' ? undefined : value;
  };
  if (of('email') === undefined && of('phone') === undefined && of('externalId') === undefined)
    return { kind: 'mistake', reason: 'names nobody: email, phone and id are empty' };
  const [first, ...rest] = (of('fullName') ?? '').split(/\s+/).filter((part) => part !== '');
  const last = rest.length === 0 ? undefined : rest.join(' ');
  return {
    kind: 'lead',
    lead: {
      externalId: of('externalId') ?? null,
      source,
      lead: present({
        ...{ interest: of('interest'), message: of('message'), url: of('url'), area: of('area'), value: of('value'), currency: of('currency') },
        ...{ preferences: of('preferences'), sub_id: of('sub_id'), click_id: of('click_id') },
      }),
      contact: present({
        marketing: marketingOf(of),
        ...{ email: of('email'), phone: of('phone'), first_name: of('firstName') ?? first, last_name: of('lastName') ?? last },
        ...{ locale: of('locale'), time_zone: of('timeZone'), country: of('country'), region: of('region') },
      }),
    },
  };
}

/** What the columns about consent say; undefined: nothing. */
function marketingOf(of: (field: string) => string | undefined): Record<string, unknown> | undefined {
  const said = present({
    ...{ email: of('emailConsent'), sms: of('smsConsent'), whatsapp: of('whatsappConsent'), call: of('callConsent') },
    wording: of('consentWording'),
  });
  return Object.keys(said).length === 0 ? undefined : said;
}

const present = (fields: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

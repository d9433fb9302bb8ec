/** What is wrong with the DNS of a domain that sends emails, and what to do about it; none: nothing is. */
export interface DnsFinding {
  record: 'SPF' | 'DKIM' | 'DMARC' | 'MX';
  state: 'ok' | 'warning' | 'problem';
  detail: string;
  remedy: string | null;
}

const tagsOf = (record: string): Map<string, string> =>
  new Map(
    record.split(';').flatMap((part) => {
      const [name = '', ...value] = part.split('=');
      return name.trim() === '' ? [] : [[name.trim().toLowerCase(), value.join('=').trim()] as const];
    }),
  );

/** @param texts - the TXT records of the domain in the envelope. Source: RFC 7208, sections 3.2, 4.5 and 4.6.4 */
export function judgeSpf(domain: string, texts: readonly string[]): DnsFinding {
  const records = texts.filter((text) => /^v=spf1(\s|$)/i.test(text));
  const [record = ''] = records;
  const wanted = `Publish one TXT record of ${domain} that names what delivers your emails, such as "v=spf1 include:spf.your-provider.example -all".`;
  if (records.length === 0) return { record: 'SPF', state: 'warning', detail: `${domain} has no SPF record`, remedy: wanted };
  if (records.length > 1)
    return { record: 'SPF', state: 'problem', detail: `${domain} has ${records.length} SPF records, so none counts`, remedy: 'Merge them into one.' };
  const terms = record.split(/\s+/).slice(1);
  if (terms.some((term) => /^\+?all$/i.test(term)))
    return { record: 'SPF', state: 'problem', detail: `${domain} lets everybody send (+all)`, remedy: 'End the record with -all or ~all.' };
  const lookups = terms.filter((term) => /^[+?~-]?(?:include:|exists:|a(?:[:/]|$)|mx(?:[:/]|$)|ptr)|^redirect=/i.test(term)).length;
  if (lookups > 10)
    return {
      record: 'SPF',
      state: 'problem',
      detail: `${domain} needs ${lookups} look-ups, and ten are allowed`,
      remedy: 'Take out what sends no emails for you.',
    };
  return { record: 'SPF', state: 'ok', detail: record, remedy: null };
}

/** @param texts - of `_dmarc.` and the domain, or of the domain above it. Source: RFC 7489, sections 6.3 and 6.6.3 */
export function judgeDmarc(domain: string, texts: readonly string[]): DnsFinding {
  const records = texts.filter((text) => /^v=DMARC1\s*(;|$)/i.test(text));
  const [record = ''] = records;
  const remedy = `Publish a TXT record of _dmarc.${domain}: "v=DMARC1; p=none; rua=mailto:you@${domain}" to begin with.`;
  if (records.length === 0)
    return { record: 'DMARC', state: 'problem', detail: `${domain} has no DMARC record, which Gmail and Yahoo ask of bulk senders`, remedy };
  if (records.length > 1)
    return { record: 'DMARC', state: 'problem', detail: `${domain} has ${records.length} DMARC records, so none counts`, remedy: 'Keep one.' };
  const policy = tagsOf(record).get('p')?.toLowerCase();
  if (policy === undefined || !['none', 'quarantine', 'reject'].includes(policy))
    return { record: 'DMARC', state: 'problem', detail: `the policy of ${domain} is not understood: ${record}`, remedy };
  return { record: 'DMARC', state: 'ok', detail: record, remedy: null };
}

/** @param texts - of `<selector>._domainkey.<domain>`. Source: RFC 6376, section 3.6.1 */
export function judgeDkim(name: string, texts: readonly string[]): DnsFinding {
  const [record] = texts.filter((text) => tagsOf(text).has('p'));
  if (record === undefined)
    return {
      record: 'DKIM',
      state: 'problem',
      detail: `${name} has no key`,
      remedy: 'Publish the record that your provider shows, or see docs/deliverability.md.',
    };
  const key = tagsOf(record).get('p')?.replaceAll(/\s/g, '') ?? '';
  if (key === '')
    return {
      record: 'DKIM',
      state: 'problem',
      detail: `the key of ${name} is revoked (p= is empty)`,
      remedy: 'Publish a key, or sign with another selector.',
    };
  const bits = tagsOf(record).get('k')?.toLowerCase() === 'ed25519' ? null : rsaBits(key);
  if (bits !== null && bits < 1_024)
    return {
      record: 'DKIM',
      state: 'problem',
      detail: `the key of ${name} has ${bits} bits, which receivers refuse`,
      remedy: 'Make one of 2048 bits.',
    };
  return { record: 'DKIM', state: 'ok', detail: bits === null ? `${name} has a key` : `${name} has a key of ${bits} bits`, remedy: null };
}

/** About: an RSA key in DER is its modulus and few bytes more. */
function rsaBits(base64: string): number | null {
  const bytes = Buffer.from(base64, 'base64').length;
  return [512, 1_024, 2_048, 3_072, 4_096].find((bits) => bytes < bits / 8 + 60) ?? null;
}

/** Whether replies to the sender's address can arrive. @param hosts - of its MX records. Source: RFC 5321, section 5.1; RFC 7505 */
export function judgeMx(domain: string, hosts: readonly string[], hasAddress: boolean): DnsFinding {
  if (hosts.some((host) => host === '' || host === '.'))
    return {
      record: 'MX',
      state: 'problem',
      detail: `${domain} accepts no emails (null MX), so replies are lost`,
      remedy: 'Send from a domain that accepts replies.',
    };
  if (hosts.length === 0 && !hasAddress)
    return {
      record: 'MX',
      state: 'problem',
      detail: `${domain} has no mail server, so replies and bounces are lost`,
      remedy: 'Publish an MX record, or set replyTo and another sender.',
    };
  return { record: 'MX', state: 'ok', detail: hosts.length === 0 ? `${domain} is its own mail server` : hosts.join(', '), remedy: null };
}

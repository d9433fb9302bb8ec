// No nested quantifiers, so that an email full of comments is scanned once and not in every combination.
const comments = String.raw`(?:<!--(?:(?!-->)[\s\S])*-->\s*)*`;
const doctype = new RegExp(String.raw`^\uFEFF?\s*${comments}<!doctype[^>]*>`, 'i');
const openingTags = new RegExp(String.raw`^\s*${comments}(?:<html\b[^>]*>\s*)?${comments}(?:<head\b[^>]*>)?`, 'i');

/**
 * An email's HTML as a document in standards mode, as mail programs show it: whatever stands before the doctype, or an old one, puts browsers
 * into quirks mode, with other sizes and with frames around missing pictures. Links open beside the page.
 */
export function asStandardsDocument(html: string): string {
  const content = html.replace(doctype, '');
  const opening = openingTags.exec(content)?.[0] ?? '';
  return `<!doctype html>${opening}<base target="_blank">${content.slice(opening.length)}`;
}

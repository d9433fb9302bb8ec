// Longer addresses break in mail clients, and thirty of them would push an email over Gmail's 102 KB.
const longestUrl = 2_000;

/** The URL in its normal form if it is absolute http or https and of sane length, else null: nothing else becomes a link or a picture. */
export function webUrl(value: string | null): string | null {
  if (value === null || value.length > longestUrl) return null;
  try {
    const url = new URL(value);
    return (url.protocol === 'https:' || url.protocol === 'http:') && url.href.length <= longestUrl ? url.href : null;
  } catch {
    return null;
  }
}

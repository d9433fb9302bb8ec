/** What an address may say behind its question mark. Whatever else it says is left out. */
export const oneOf =
  <const T extends readonly string[]>(allowed: T, usual: T[number]) =>
  (value: unknown): T[number] =>
    allowed.find((one) => one === String(value)) ?? usual;

export const text = (value: unknown): string => (typeof value === 'string' || typeof value === 'number' ? String(value).slice(0, 320) : '');

const houseColor = '#1f2937';
const dark = '#111827';
const light = '#ffffff';

/** `#rrggbb` in lower case; the house colour where the setting is no hex colour. */
export function brandColorOf(setting: string): string {
  const hex = /^#(?:[0-9a-f]{6}|[0-9a-f]{3})$/i.exec(setting.trim())?.[0]?.toLowerCase();
  if (hex === undefined) return houseColor;
  return hex.length === 4 ? hex.replace(/[0-9a-f]/g, '$&$&') : hex;
}

/** The text colour with the higher contrast on `background` (`#rrggbb`). Source: WCAG 2.2, relative luminance. */
export function textColorOn(background: string): string {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const share = Number.parseInt(background.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  const luminance = 0.2126 * (red ?? 0) + 0.7152 * (green ?? 0) + 0.0722 * (blue ?? 0);
  return 1.05 / (luminance + 0.05) >= (luminance + 0.05) / 0.0589 ? light : dark;
}

const houseColor = '#1f2937';
const dark = '#111827';
const light = '#ffffff';
const black = '#000000';

/** The contrast that text of ordinary size needs. Source: WCAG 2.2, 1.4.3 */
const enough = 4.5;

/** `#rrggbb` in lower case; the house colour where the setting is no hex colour. */
export function brandColorOf(setting: string): string {
  const hex = /^#(?:[0-9a-f]{6}|[0-9a-f]{3})$/i.exec(setting.trim())?.[0]?.toLowerCase();
  if (hex === undefined) return houseColor;
  return hex.length === 4 ? hex.replace(/[0-9a-f]/g, '$&$&') : hex;
}

/** A text colour that can be read on `background` (`#rrggbb`). On some colours of middling brightness only black can. */
export function textColorOn(background: string): string {
  const better = contrastOf(background, light) >= contrastOf(background, dark) ? light : dark;
  return contrastOf(background, better) >= enough ? better : black;
}

/** Between 1 and 21. Source: WCAG 2.2, contrast ratio */
function contrastOf(one: string, other: string): number {
  const [low = 0, high = 0] = [luminanceOf(one), luminanceOf(other)].toSorted((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

function luminanceOf(color: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const share = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * (red ?? 0) + 0.7152 * (green ?? 0) + 0.0722 * (blue ?? 0);
}

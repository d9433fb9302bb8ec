/** The name that was probably meant; null: none is close. */
export function closestName(written: string, known: readonly string[]): string | null {
  const plain = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, '');
  // `first_name` and `Firstname` are `firstName`; `customer.firstName` is `contact.firstName`.
  const same = known.find((name) => plain(name) === plain(written)) ?? known.find((name) => lastOf(plain, name) === lastOf(plain, written));
  if (same !== undefined) return same;
  const ranked = known.map((name) => ({ name, distance: distanceOf(plain(written), plain(name)) })).toSorted((a, b) => a.distance - b.distance);
  const [best] = ranked;
  return best !== undefined && best.distance <= Math.max(1, Math.floor(written.length / 4)) ? best.name : null;
}

const lastOf = (plain: (name: string) => string, name: string) => plain(name.split('.').at(-1) ?? '');

/** How many letters must be changed, added or left out. */
function distanceOf(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (const [at, letter] of Array.from(one).entries()) {
    const above = row;
    row = [at + 1];
    for (let to = 1; to <= other.length; to++) {
      const replaced = (above[to - 1] ?? 0) + (other[to - 1] === letter ? 0 : 1);
      row.push(Math.min(replaced, (above[to] ?? 0) + 1, (row[to - 1] ?? 0) + 1));
    }
  }
  return row[other.length] ?? 0;
}

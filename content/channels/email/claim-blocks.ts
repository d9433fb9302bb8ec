/** A block of a body, as far as claims go. */
export interface Block {
  kind: 'paragraph' | 'heading' | 'quotation' | 'tags';
  lines: string[];
}

const tag = /\{%-?\s*(\w+)[^%]*?-?%\}/g;
const opening = new Set(['if', 'unless', 'for', 'case', 'claim']);

/**
 * What stands in a claim alone goes with it when it is left out: a paragraph that is one claim, and a heading over nothing but a claim. Else an empty
 * paragraph or a heading over nothing would be left.
 */
export function withinTheirClaims(blocks: readonly Block[]): Block[] {
  return underClaims(blocks.flatMap(aroundParagraph));
}

/** A paragraph that is one claim stands in it, instead of the claim in the paragraph. */
function aroundParagraph(block: Block): Block[] {
  const text = block.lines.join('\n');
  const [first, last] = [text.match(/^\{%-?\s*claim\s[^%]*%\}/)?.[0], text.match(/\{%-?\s*endclaim\s*-?%\}$/)?.[0]];
  if (block.kind === 'tags' || first === undefined || last === undefined || !isOneClaim(text)) return [block];
  const inner = text.slice(first.length, text.length - last.length).trim();
  if (inner === '') return [block];
  return [
    { kind: 'tags', lines: [first] },
    { ...block, lines: inner.split('\n') },
    { kind: 'tags', lines: [last] },
  ];
}

/** Whether its first tag is closed by its last, and has no `else`. */
function isOneClaim(text: string): boolean {
  let depth = 0;
  for (const { 1: name = '', 0: whole, index } of text.matchAll(tag)) {
    if (opening.has(name)) depth += 1;
    else if (name === 'else' && depth === 1) return false;
    else if (name.startsWith('end')) depth -= 1;
    if (depth === 0) return index + whole.length === text.length;
  }
  return false;
}

/** A heading over one claim alone stands in it. */
function underClaims(blocks: readonly Block[]): Block[] {
  const moved = [...blocks];
  for (const [at, block] of blocks.entries()) {
    const end = block.kind === 'heading' ? endOfClaim(blocks, at + 1) : null;
    const open = blocks[at + 1];
    if (end === null || open === undefined || !(blocks[end + 1] === undefined || blocks[end + 1]?.kind === 'heading')) continue;
    moved[at] = open;
    moved[at + 1] = block;
  }
  return moved;
}

/** Where the claim that begins with this block ends; null: none begins, it has an `else`, or it ends in the middle of a block. */
function endOfClaim(blocks: readonly Block[], from: number): number | null {
  const first = blocks[from];
  if (first?.kind !== 'tags' || !/^\{%-?\s*claim\s[^%]*%\}$/.test(first.lines.join(''))) return null;
  let depth = 0;
  for (let at = from; at < blocks.length; at++) {
    const block = blocks[at];
    for (const { 1: name = '' } of block?.lines.join('\n').matchAll(tag) ?? []) {
      if (opening.has(name)) depth += 1;
      else if (name === 'else' && depth === 1) return null;
      else if (name.startsWith('end')) depth -= 1;
    }
    if (depth <= 0) return block?.kind === 'tags' ? at : null;
  }
  return null;
}

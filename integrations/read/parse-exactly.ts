const longNumber = /\d{16}/;

/**
 * Parse JSON so that integers of 16 and more digits arrive as strings: Shopify's ids go beyond 2^53, and JSON.parse would round
 * 981820079255243537 to another person's id.
 * @param json - text that JSON.parse accepts
 * @throws SyntaxError as JSON.parse does
 */
export function parseExactly(json: string): unknown {
  return JSON.parse(longNumber.test(json) ? quoteLongIntegers(json) : json);
}

function quoteLongIntegers(json: string): string {
  let quoted = '';
  let copied = 0;
  let at = 0;
  while (at < json.length) {
    const char = json.charCodeAt(at);
    if (char === 0x22) {
      at = endOfString(json, at);
    } else if (char === 0x2d || (char >= 0x30 && char <= 0x39)) {
      const end = endOfNumber(json, at);
      const token = json.slice(at, end);
      if (token.length >= 16 && /^-?\d+$/.test(token)) {
        quoted += `${json.slice(copied, at)}"${token}"`;
        copied = end;
      }
      at = end;
    } else {
      at += 1;
    }
  }
  return quoted + json.slice(copied);
}

function endOfString(json: string, start: number): number {
  let at = start + 1;
  while (at < json.length && json.charCodeAt(at) !== 0x22) at += json.charCodeAt(at) === 0x5c ? 2 : 1;
  return at + 1;
}

function endOfNumber(json: string, start: number): number {
  let at = start + 1;
  while (at < json.length && /[\d.eE+-]/.test(json.charAt(at))) at += 1;
  return at;
}

/** A delivery's body with its ids intact, from the raw bytes; the caller's parse where those are not JSON. */
export function exactBody(raw: Buffer, body: unknown): unknown {
  try {
    return parseExactly(raw.toString('utf8').replace(/^\ufeff/, ''));
  } catch {
    return body;
  }
}

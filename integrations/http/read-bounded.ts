/** Thrown where an answer is longer than anything that was asked for. */
export class AnswerTooLongError extends Error {
  readonly code = 'answer_too_long';
  override readonly name = 'AnswerTooLongError';
}

/** The text of an answer, as far as it is no longer than `most` bytes. @throws AnswerTooLongError */
export async function readBounded(response: Response, most: number): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.byteLength;
    if (bytes > most) throw new AnswerTooLongError(`the answer is longer than ${most} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

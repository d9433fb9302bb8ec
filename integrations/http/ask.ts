import { outboundFetch } from './outbound.ts';

/** Thrown when a provider gives no clear answer to a question: nothing may be concluded from it. */
export class NoAnswerError extends Error {
  readonly code = 'no_answer';
  override readonly name = 'NoAnswerError';
}

/**
 * GET a JSON document of a provider, or POST a question to it. It has no effect, so it may be asked again.
 * @param timeoutMs - for the whole answer
 * @param question - where the provider wants it in a body
 * @throws NoAnswerError for everything but 200 with JSON; redirects are not followed, because the headers hold credentials
 */
export async function askJson(url: URL, headers: Readonly<Record<string, string>>, timeoutMs: number, question?: object): Promise<unknown> {
  try {
    const response = await outboundFetch(url, {
      ...(question === undefined ? {} : { method: 'POST', body: JSON.stringify(question) }),
      headers: { accept: 'application/json', ...(question === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      redirect: 'manual',
      signal: AbortSignal.timeout(Math.max(1, Math.round(timeoutMs))),
    });
    const text = await response.text();
    if (response.status === 200) return JSON.parse(text);
    throw new NoAnswerError(`HTTP ${response.status}`);
  } catch (cause) {
    if (cause instanceof NoAnswerError) throw cause;
    throw new NoAnswerError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

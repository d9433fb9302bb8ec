/** The members of a JSON answer; none where it is no object. */
export function answerFields(body: string): Readonly<Record<string, unknown>> {
  try {
    const answer: unknown = JSON.parse(body);
    return typeof answer === 'object' && answer !== null && !Array.isArray(answer) ? { ...answer } : {};
  } catch {
    return {};
  }
}

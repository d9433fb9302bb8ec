/**
 * Wait for statements of one transaction that were sent together, which takes one round trip. All of them are answered before this returns or throws: what
 * goes on after another has failed would use a connection that somebody else has by then.
 * @param asked - begun already; a query builder of drizzle begins anew each time it is awaited, so it has to be within an async function
 * @throws what the first of them has failed with
 */
export async function allAnswered<T extends readonly Promise<unknown>[] | []>(asked: T): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(asked);
  return Promise.all(asked);
}

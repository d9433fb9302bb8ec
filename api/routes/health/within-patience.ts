const patienceMs = 2_000;

/** @returns null where it fails or takes too long */
export async function withinPatience<T>(work: Promise<T>): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), patienceMs);
  });
  try {
    return await Promise.race([work.catch(() => null), tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

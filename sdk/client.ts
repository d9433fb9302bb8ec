/** An error answer of the API, from its problem details. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  /** For programs; does not change. */
  readonly code: string;
  /** The invalid fields, and why. */
  readonly errors: readonly { path: string; message: string }[];
  /** What cannot be read in an event. */
  readonly fields: readonly { field: string; reason: string }[];
  /** The whole answer. */
  readonly body: unknown;

  constructor(status: number, problem: { code?: unknown; detail?: unknown; errors?: unknown; fields?: unknown }) {
    super(typeof problem.detail === 'string' ? problem.detail : `The API answered ${status}.`);
    this.status = status;
    this.body = problem;
    this.code = typeof problem.code === 'string' ? problem.code : 'unknown';
    this.fields = Array.isArray(problem.fields) ? (problem.fields as { field: string; reason: string }[]) : [];
    this.errors = Array.isArray(problem.errors) ? (problem.errors as { path: string; message: string }[]) : [];
  }
}

/** Thrown when the API cannot be reached at all. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Speaks to one installation with one key. */
export class RekindleClient {
  readonly #url: string;
  readonly #key: string;

  /** @param url - of the API, e.g. `http://localhost:3000` */
  constructor(url: string, key: string) {
    this.#url = url;
    this.#key = key;
  }

  /**
   * @param headers - besides the key's, e.g. `idempotency-key`
   * @returns the body; null where there is none
   * @throws ApiError for every answer but a success, UnreachableError when there is none within 30 s
   */
  async request(method: Method, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<unknown> {
    return this.#ask(path, {
      method,
      headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(30_000),
    });
  }

  /** POST a file as it is read, however long that takes. @throws as `request` */
  upload(path: string, file: AsyncIterable<Uint8Array>, contentType: string): Promise<unknown> {
    return this.#ask(path, { method: 'POST', headers: { 'content-type': contentType }, body: file, duplex: 'half' });
  }

  async #ask(path: string, { headers, ...init }: Omit<RequestInit, 'headers'> & { headers: Record<string, string> }): Promise<unknown> {
    const response = await fetch(new URL(path, this.#url), { ...init, headers: { ...headers, authorization: `Bearer ${this.#key}` } }).catch(
      (cause: unknown) => {
        throw new UnreachableError(
          `${this.#url} does not answer. Is Rekindle running? npm start starts it on this machine; REKINDLE_API_URL names another.`,
          { cause },
        );
      },
    );
    const text = await response.text();
    const parsed: unknown = text === '' ? null : parse(text);
    if (response.ok) return parsed;
    throw new ApiError(response.status, typeof parsed === 'object' && parsed !== null ? parsed : {});
  }

  /** Every page of a list that answers `{ data, nextCursor }`. */
  async listAll(path: string): Promise<Record<string, unknown>[]> {
    const found: Record<string, unknown>[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const separator = path.includes('?') ? '&' : '?';
      const page = (await this.request('GET', cursor === '' ? path : `${path}${separator}cursor=${encodeURIComponent(cursor)}`)) as {
        data: Record<string, unknown>[];
        nextCursor: string | null;
      };
      found.push(...page.data);
      cursor = page.nextCursor;
    }
    return found;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

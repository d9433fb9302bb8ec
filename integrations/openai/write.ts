import OpenAI, { APIConnectionError, APIConnectionTimeoutError, APIError, APIUserAbortError } from 'openai';
import type { ChatCompletionCreateParamsNonStreaming } from 'openai/resources/chat/completions';
import { outboundFetch } from '../http/outbound.ts';
import type { TokenUse, WriteFault, WriteOutcome, Writer, WriteRequest } from '../port.ts';
import type { OpenAiConfig } from './config.ts';

/** Longer answers than any that was asked for: a server that never ends must not fill the memory. */
const longestAnswer = 100_000;
const checkTimeoutMs = 10_000;

/** A writer that calls the server once per request: what is repeated, and what it may cost, is decided by the caller. */
export function createOpenAiWriter(config: OpenAiConfig): Writer {
  const client = new OpenAI({
    apiKey: config.apiKey,
    baseURL: config.baseUrl.replace(/\/+$/, ''),
    // Of the process's environment nothing may leave with a store's calls.
    organization: null,
    project: null,
    maxRetries: 0,
    logLevel: 'off',
    // The key goes to the address that was entered, and nowhere else.
    fetchOptions: { redirect: 'error' },
    fetch: outboundFetch,
  });
  return {
    account: `openai:${new URL(config.baseUrl).host}`,
    model: config.model,
    timeoutMs: config.timeoutSeconds * 1_000,
    async check() {
      try {
        await client.models.list({ timeout: checkTimeoutMs });
      } catch (error) {
        // As with a call: what the server says may repeat the key.
        const outcome = failureOf(error, false, { begun: false, use: null });
        const detail = outcome.kind === 'failed' ? outcome.detail : 'no answer';
        throw new Error(detail.startsWith('HTTP 404') ? `${detail}: it has no list of models. Is baseUrl right?` : detail);
      }
    },
    async write(request, { timeoutMs, signal }) {
      // One limit for the whole answer: the client's own ends with the first byte of a stream.
      const ending = AbortSignal.timeout(Math.max(1, timeoutMs));
      const both = signal === undefined ? ending : AbortSignal.any([ending, signal]);
      const progress: Progress = { begun: false, use: null };
      try {
        const body = bodyOf(config, request);
        return config.stream ? await streamed(client, body, both, progress) : await whole(client, body, both, progress);
      } catch (error) {
        return failureOf(error, ending.aborted, progress);
      }
    },
  };
}

/** How far an answer has come, for what is known of it when it breaks. */
interface Progress {
  begun: boolean;
  use: TokenUse | null;
}

function bodyOf(config: OpenAiConfig, { messages, answer, mostTokens }: WriteRequest): ChatCompletionCreateParamsNonStreaming {
  const isOpenAi = new URL(config.baseUrl).hostname.endsWith('openai.com');
  return {
    model: config.model,
    temperature: config.temperature,
    messages: messages.map(({ role, content }) => ({ role, content })),
    // OpenAI has renamed the field; compatible servers know the first name.
    ...(isOpenAi ? { max_completion_tokens: mostTokens } : { max_tokens: mostTokens }),
    ...(config.structured
      ? { response_format: { type: 'json_schema' as const, json_schema: { name: answer.name, strict: true, schema: { ...answer.schema } } } }
      : {}),
  };
}

async function whole(client: OpenAI, body: ChatCompletionCreateParamsNonStreaming, signal: AbortSignal, progress: Progress): Promise<WriteOutcome> {
  const answer = await client.chat.completions.create(body, { signal });
  progress.begun = true;
  progress.use = useOf(answer.usage);
  const choice = answer.choices?.[0];
  return judged({ text: choice?.message?.content ?? '', refusal: choice?.message?.refusal ?? null, finish: choice?.finish_reason ?? null }, progress);
}

async function streamed(
  client: OpenAI,
  body: ChatCompletionCreateParamsNonStreaming,
  signal: AbortSignal,
  progress: Progress,
): Promise<WriteOutcome> {
  const stream = await client.chat.completions.create({ ...body, stream: true, stream_options: { include_usage: true } }, { signal });
  let text = '';
  let refusal = '';
  let finish: string | null = null;
  for await (const chunk of stream) {
    progress.begun = true;
    progress.use = useOf(chunk.usage) ?? progress.use;
    const choice = chunk.choices?.[0];
    text += choice?.delta?.content ?? '';
    refusal += choice?.delta?.refusal ?? '';
    finish = choice?.finish_reason ?? finish;
    if (text.length > longestAnswer) {
      stream.controller.abort();
      return failed('truncated', progress, 'the answer was longer than anything that was asked for');
    }
  }
  // A stream that was aborted ends without an error.
  if (finish === null) signal.throwIfAborted();
  return judged({ text, refusal: refusal === '' ? null : refusal, finish }, progress);
}

function judged({ text, refusal, finish }: { text: string; refusal: string | null; finish: string | null }, progress: Progress): WriteOutcome {
  if (refusal !== null || finish === 'content_filter') return failed('refused', progress, finish ?? 'refusal');
  // A stream that ends without a reason broke off.
  if (finish !== 'stop') return failed('truncated', progress, `finish_reason ${finish ?? 'is missing'}`);
  if (text.trim() === '') return failed('invalid_answer', progress, 'the answer is empty');
  return { kind: 'written', text, use: progress.use };
}

const failed = (fault: WriteFault, { use }: Progress, detail: string, charged = true, retryAfterMs: number | null = null): WriteOutcome => ({
  kind: 'failed',
  fault,
  charged,
  retryAfterMs,
  detail,
  use,
});

function failureOf(error: unknown, timedOut: boolean, progress: Progress): WriteOutcome {
  if (timedOut || error instanceof APIConnectionTimeoutError) return failed('timed_out', progress, 'no answer in time');
  if (error instanceof APIUserAbortError) return failed('unavailable', progress, 'the call was cancelled');
  // A key that the server repeats in its message must not get into a log: only the code is kept.
  if (error instanceof APIError && error.status !== undefined) return answered(error.status, error, progress);
  if (progress.begun) return failed('truncated', progress, 'the line broke while the answer came');
  if (error instanceof APIConnectionError) return failed('unavailable', progress, 'no connection', !isUnreached(error));
  return failed(error instanceof SyntaxError ? 'invalid_answer' : 'unavailable', progress, error instanceof Error ? error.name : 'unknown');
}

function answered(status: number, { code, type, headers }: APIError, progress: Progress): WriteOutcome {
  const detail = `HTTP ${status}${code == null ? '' : ` ${code}`}${type == null ? '' : ` ${type}`}`.slice(0, 200);
  if (status === 401 || status === 403) return failed('wrong_key', progress, detail, false);
  // An empty account is answered like a limit, but waiting does not fill it.
  if (status === 429) return failed('rate_limited', progress, detail, false, code === 'insufficient_quota' ? null : (retryAfterMs(headers) ?? 1_000));
  if (status >= 500) return failed('unavailable', progress, detail, false, retryAfterMs(headers));
  return failed('invalid_answer', progress, detail, false);
}

/** Of `retry-after-ms` and `retry-after`, in seconds or as a date. */
function retryAfterMs(headers: Headers | undefined): number | null {
  const ms = Number(headers?.get('retry-after-ms') ?? Number.NaN);
  if (Number.isFinite(ms) && ms >= 0) return ms;
  const said = headers?.get('retry-after') ?? null;
  if (said === null) return null;
  const seconds = Number(said);
  const at = Number.isFinite(seconds) ? seconds * 1_000 : Date.parse(said) - Date.now();
  return Number.isFinite(at) ? Math.max(0, at) : null;
}

/** Refused or not found before anything was sent. */
function isUnreached(error: APIConnectionError): boolean {
  let cause: unknown = error.cause;
  for (let depth = 0; depth < 4 && cause instanceof Error; depth++) {
    if ('code' in cause && ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'].includes(String(cause.code))) return true;
    cause = cause.cause;
  }
  return false;
}

function useOf(usage: { prompt_tokens?: number; completion_tokens?: number } | null | undefined): TokenUse | null {
  const { prompt_tokens: input, completion_tokens: output } = usage ?? {};
  return isCount(input) && isCount(output) ? { input, output } : null;
}

const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

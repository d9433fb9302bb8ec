import { request } from 'node:http';
import type { Deadline, SendOutcome } from '../port.ts';
import type { OpenHttp } from './connect.ts';
import type { HttpAnswer } from './judge.ts';

/** A message as an HTTP request. */
export interface HttpMessage {
  url: URL;
  headers: Readonly<Record<string, string>>;
  /** Its last byte is what makes the provider accept. Empty: the message is in the URL and goes out as a GET. */
  body: Buffer;
  /** What an answer to the whole message means. */
  judge(answer: HttpAnswer): SendOutcome;
}

// Both clocks count towards the deadline and a timer follows one of them, so the deadline is checked at least this often.
const checkAgainMs = 100;
const mostAnswerBytes = 64 * 1024;
// A request line and its headers of this size leave a new connection in one piece.
const mostUrlBytes = 8 * 1024;

/**
 * Send one request that the fence can rely on: no redirects, no retries, and the last byte of the body leaves only after a synchronous check of the
 * deadline. A GET has no body: all of it leaves at once, after that check. At the deadline the connection is reset. The outcome follows from what was sent: before the last byte the message is certainly not
 * accepted; after it, only an answer is proof.
 * @param continueMs - how long to wait for `100 Continue`, which shows that the provider is there before the message leaves; then it is sent
 *   all the same (RFC 9110, section 10.1.1)
 * @param onBegun - called when the first bytes have been given to the socket
 */
export function fencedRequest(
  connection: OpenHttp,
  message: HttpMessage,
  deadline: Deadline,
  closing: AbortSignal,
  continueMs: number,
  onBegun: () => void = () => undefined,
): Promise<SendOutcome> {
  const { url, body } = message;
  const isGet = body.length === 0;
  if (isGet && url.href.length > mostUrlBytes)
    return Promise.resolve({ kind: 'refused', severity: 'soft', response: 'the message is too long for an address' });
  return new Promise((resolve) => {
    let complete = false;
    let finished = false;
    let answer: HttpAnswer | null = null;
    let watch: NodeJS.Timeout | undefined;
    let noContinue: NodeJS.Timeout | undefined;

    const finish = (outcome: SendOutcome): void => {
      if (finished) return;
      finished = true;
      clearTimeout(watch);
      clearTimeout(noContinue);
      closing.removeEventListener('abort', onClose);
      connection.destroy();
      resolve(outcome);
    };
    const judged = (given: HttpAnswer): SendOutcome => {
      if (complete) return message.judge(given);
      // A message that was not sent whole cannot have been accepted, whatever the answer.
      return {
        kind: 'refused',
        severity: 'soft',
        response: `HTTP ${given.status} before the end`,
        ...(given.status >= 500 ? { outage: true } : {}),
        ...(given.status === 401 ? { loginRefused: true } : {}),
      };
    };
    const fail = (reason: string): void => {
      // The head of an answer decides the outcome, even if the rest of it does not arrive.
      if (answer !== null) finish(judged(answer));
      else finish(complete ? { kind: 'unknown', response: reason } : { kind: 'refused', severity: 'soft', outage: true, response: reason });
    };
    const onClose = (): void => fail('the session was closed');
    const checkDeadline = (): void => {
      const remainingMs = deadline.remainingMs();
      if (remainingMs > 0) watch = setTimeout(checkDeadline, Math.min(remainingMs, checkAgainMs));
      else fail('the deadline came before an answer');
    };

    if (closing.aborted) return onClose();
    if (deadline.remainingMs() <= 0) return fail('the deadline came before the call');
    if (connection.socket.destroyed) return fail('the provider closed the connection before the call');
    const req = request({
      createConnection: () => connection.socket,
      method: isGet ? 'GET' : 'POST',
      path: `${url.pathname}${url.search}`,
      headers: {
        ...message.headers,
        host: url.host,
        ...(isGet ? {} : { 'content-length': String(body.length), expect: '100-continue' }),
        connection: 'close',
      },
    });
    let begun = false;
    const sendBody = (): void => {
      if (begun || finished) return;
      begun = true;
      clearTimeout(noContinue);
      const sendEnd = (): void => {
        if (finished || answer !== null) return;
        if (deadline.remainingMs() <= 0) return fail('the deadline came before the end of the message');
        complete = true;
        if (isGet) req.end();
        else req.end(body.subarray(-1));
      };
      // The last byte waits until the rest has left: what is still queued before it could delay it past the deadline.
      if (body.length <= 1) sendEnd();
      else req.write(body.subarray(0, -1), (error) => (error == null ? sendEnd() : fail(error.message)));
    };
    checkDeadline();
    if (!isGet) noContinue = setTimeout(sendBody, continueMs);
    closing.addEventListener('abort', onClose);
    req.on('error', (error) => fail(error.message));
    req.on('continue', sendBody);
    req.on('response', (res) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      const soFar = (): HttpAnswer => ({ status: res.statusCode ?? 0, body: Buffer.concat(chunks).toString(), headers: res.headers });
      answer = soFar();
      res.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        bytes += chunk.length;
        answer = soFar();
        if (bytes > mostAnswerBytes) finish(judged(answer));
      });
      res.on('error', () => fail('the answer broke off'));
      res.on('close', () => finish(judged(soFar())));
    });
    if (!isGet) {
      req.flushHeaders();
      onBegun();
      return;
    }
    // Only now does what is written go to the socket at once.
    req.once('socket', () => {
      sendBody();
      if (!finished) onBegun();
    });
  });
}

import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';

/** Answer requests that are no HTTP, have too long a head, or never end. There is no request and no reply: only a socket. */
export function refuseUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code !== 'ECONNRESET' && !socket.destroyed && socket.writable) socket.write(answerTo(error.code));
  socket.destroy(error);
}

const answers: Readonly<Record<string, { status: number; code: string; detail: string }>> = {
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, code: 'request_timeout', detail: 'The request did not come to its end in time.' },
  HPE_HEADER_OVERFLOW: { status: 431, code: 'headers_too_large', detail: 'The head of the request is too large.' },
};

function answerTo(fault: string | undefined): string {
  const { status, code, detail } = answers[fault ?? ''] ?? { status: 400, code: 'bad_request', detail: 'This is not a request that HTTP knows.' };
  const title = code.replaceAll('_', ' ');
  const body = JSON.stringify({ type: `https://rekindle.example/problems/${code}`, title, status, code, detail });
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'content-type: application/problem+json',
    'x-content-type-options: nosniff',
    'connection: close',
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}

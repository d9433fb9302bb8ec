import { once } from 'node:events';
import net from 'node:net';
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import { isOwnMailServer, lookupPublic, refusePrivateLiteral } from '../http/outbound.ts';
import type { SmtpConfig } from './connection.ts';

/** A greeted and authenticated connection, and the TCP socket below it. */
export interface OpenSmtp {
  connection: SMTPConnection;
  /** Ends everything at once, discarding what the kernel has not sent yet. */
  destroy(): void;
}

/** Thrown when no session could be opened: refused, timed out, TLS or login failed. Certainly nothing was sent. */
export class SmtpOpenError extends Error {
  readonly code = 'smtp_open_failed';
  override readonly name = 'SmtpOpenError';
  /** The server knows the user or the password no more; a 4xx of the login is about the moment. */
  readonly loginRefused: boolean;

  constructor(message: string, options: { cause: unknown }) {
    super(message, options);
    const { code, responseCode } = options.cause as { code?: unknown; responseCode?: unknown };
    this.loginRefused = code === 'EAUTH' && typeof responseCode === 'number' && responseCode >= 500;
  }
}

/**
 * Connect, greet, secure, log in.
 * @param timeoutMs - for all of it together, wall clock
 * @throws SmtpOpenError
 */
export async function openSmtp(config: SmtpConfig, timeoutMs: number): Promise<OpenSmtp> {
  // Our own socket, so that it can be reset: a plain close lets the kernel go on sending what it has.
  const isOwn = isOwnMailServer(config);
  try {
    if (!isOwn) refusePrivateLiteral(config.host);
  } catch (cause) {
    throw new SmtpOpenError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
  const socket = net.connect({ host: config.host, port: config.port, ...(isOwn ? {} : { lookup: lookupPublic }) });
  socket.on('error', () => {});
  const timer = setTimeout(() => socket.destroy(new Error(`no session within ${timeoutMs} ms`)), timeoutMs);
  const broken = new Promise<never>((_resolve, reject) => {
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the server closed the connection')));
  });
  let connection: SMTPConnection | null = null;
  try {
    await Promise.race([once(socket, 'connect'), broken]);
    const opening = createConnection(config, socket, timeoutMs);
    connection = opening;
    await Promise.race([greetAndLogIn(opening, config.login), broken]);
    return { connection: opening, destroy: () => destroy(opening, socket) };
  } catch (cause) {
    connection?.close();
    socket.destroy();
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SmtpOpenError(`No SMTP session with ${config.host}:${config.port}: ${reason}`, { cause });
  } finally {
    clearTimeout(timer);
    broken.catch(() => {});
  }
}

function createConnection(config: SmtpConfig, socket: net.Socket, timeoutMs: number): SMTPConnection {
  const connection = new SMTPConnection({
    connection: socket,
    host: config.host,
    port: config.port,
    secure: config.tls === 'implicit',
    ignoreTLS: config.tls === 'off',
    requireTLS: config.tls === 'required' || config.tls === 'unverified',
    tls: { rejectUnauthorized: config.tls !== 'unverified' },
    ...(config.name === null ? {} : { name: config.name }),
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketCloseTimeout: 0,
    logger: false,
  });
  // An error event without a listener would end the process, also long after the session was opened.
  connection.on('error', () => {});
  return connection;
}

async function greetAndLogIn(connection: SMTPConnection, login: SmtpConfig['login']): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    connection.once('error', reject);
    connection.connect((error) => (error ? reject(error) : resolve()));
  });
  if (login === null) return;
  if (!connection.allowsAuth) throw new Error('the server offers no login, but the URL has a user and a password');
  await new Promise<void>((resolve, reject) => {
    connection.once('error', reject);
    connection.login({ user: login.user, pass: login.password }, (error) => (error ? reject(error) : resolve()));
  });
}

function destroy(connection: SMTPConnection, socket: net.Socket): void {
  if (!socket.destroyed) socket.resetAndDestroy();
  connection.close();
}

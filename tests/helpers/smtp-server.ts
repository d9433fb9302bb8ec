import net, { type AddressInfo, type Socket } from 'node:net';

// A message begins on a new line: its very first dot may already be the final one.
const lineBreak = Buffer.from('\r\n');

/** An email that the server took: from here on it would be delivered. */
export interface Mail {
  envelope: { from: string; to: string[] };
  /** The message without dot-stuffing and without the final dot. */
  raw: Buffer;
  /** Wall clock of the moment it was taken. */
  atMs: number;
}

/** Where in a connection something goes wrong. `body`: while the message is read; `dot`: after the final dot. */
export type Stage = 'greeting' | 'ehlo' | 'auth' | 'mail' | 'rcpt' | 'data' | 'body' | 'dot';

/** What a connection does instead of the usual at one stage. */
export interface Fault {
  at: Stage;
  /**
   * `{ reply }`: answers this line (a 2xx at `dot` takes the email). `hang`: answers nothing and reads on. `stall`: also stops
   * reading, until `resume`. `close`: ends the connection in order, `reset`: with a TCP reset. `pass`: the usual (with `onReach` or `byteDelayMs`).
   */
  act: { reply: string } | 'hang' | 'stall' | 'close' | 'reset' | 'pass';
  /** At `dot`: the email is taken first, whatever is answered then. */
  taking?: boolean;
  /** With `taking`: so much later, also when the connection is long gone. */
  takingAfterMs?: number;
  /** At `body`: only after so many bytes of the message. */
  afterBytes?: number;
  /** Called when the stage is reached, before anything is answered. */
  onReach?: () => void;
  /** The answer trickles, one byte at a time. */
  byteDelayMs?: number;
}

export interface SmtpServer {
  port: number;
  /** `smtp://127.0.0.1:…`, with the login where one is demanded. */
  url: string;
  /** In the order in which they were taken. */
  accepted: Mail[];
  /** Connections so far, also those that sent nothing. */
  connections(): number;
  /** Faults of the next connections, one argument each; null: that one behaves. A connection without a script behaves. */
  script(...connections: (Fault | Fault[] | null)[]): void;
  /** Faults of every connection that has no script of its own, until `behave`. */
  always(...faults: Fault[]): void;
  /** Forget all faults that no connection has taken yet. */
  behave(): void;
  /** Stalled connections read on. */
  resume(): void;
  /** Resolves when no connection is open. */
  allClosed(): Promise<void>;
  /** The first email taken that fits, also one from before the call; rejects after `timeoutMs`. */
  waitForMail(fits?: (mail: Mail) => boolean, timeoutMs?: number): Promise<Mail>;
  /** Close every connection and the port. */
  close(): Promise<void>;
}

export interface SmtpServerOptions {
  /** Default: any free one. */
  port?: number;
  /** Demand this login. */
  login?: { user: string; password: string };
  /** Offer PIPELINING, as Postfix does. Default true. */
  pipelining?: boolean;
}

/** A real SMTP server that misbehaves on demand. */
export async function startSmtpServer(options: SmtpServerOptions = {}): Promise<SmtpServer> {
  const accepted: Mail[] = [];
  const scripts: Fault[][] = [];
  let standing: Fault[] = [];
  let connections = 0;
  const sockets = new Set<Socket>();
  const waiting = new Set<() => void>();
  const resumes: (() => void)[] = [];

  const take = (mail: Mail): void => {
    accepted.push(mail);
    for (const look of waiting) look();
  };
  const server = net.createServer({ noDelay: true }, (socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    serve(socket, scripts.shift() ?? standing, options, take, (resume) => resumes.push(resume));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const { login } = options;

  return {
    port,
    url: `smtp://${login === undefined ? '' : `${encodeURIComponent(login.user)}:${encodeURIComponent(login.password)}@`}127.0.0.1:${port}`,
    accepted,
    connections: () => connections,
    script: (...next) => {
      scripts.push(...next.map((faults) => (faults === null ? [] : [faults].flat())));
    },
    always: (...faults) => {
      standing = faults;
    },
    behave: () => {
      scripts.length = 0;
      standing = [];
    },
    resume: () => {
      for (const resume of resumes) resume();
    },
    allClosed: async () => {
      await Promise.all([...sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve))));
    },
    waitForMail: (fits = () => true, timeoutMs = 5_000) =>
      new Promise((resolve, reject) => {
        const end = (): void => {
          clearTimeout(timer);
          waiting.delete(look);
        };
        const look = (): void => {
          const mail = accepted.find(fits);
          if (mail === undefined) return;
          end();
          resolve(mail);
        };
        const timer = setTimeout(() => {
          end();
          reject(new Error(`No such mail within ${timeoutMs} ms; ${accepted.length} others were taken.`));
        }, timeoutMs);
        waiting.add(look);
        look();
      }),
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

function serve(
  socket: Socket,
  faults: Fault[],
  options: SmtpServerOptions,
  take: (mail: Mail) => void,
  onResume: (resume: () => void) => void,
): void {
  let received = Buffer.alloc(0);
  let mode: 'command' | 'login' | 'message' | 'deaf' = 'command';
  let from: string | null = null;
  let to: string[] = [];
  let loggedIn = options.login === undefined;
  let message: Buffer[] = [lineBreak];
  let messageBytes = 0;
  let stalled = false;
  let bodyReached = false;
  let discard = false;
  const answers: Promise<void>[] = [];

  const write = (line: string, byteDelayMs: number | undefined): void => {
    // In order: a trickling answer holds back the next one.
    const before = answers.at(-1) ?? Promise.resolve();
    if (byteDelayMs === undefined && answers.length === 0) {
      socket.write(`${line}\r\n`);
      return;
    }
    answers.push(before.then(() => trickle(socket, `${line}\r\n`, byteDelayMs ?? 0)));
  };

  /** Runs the fault of this stage, if any. `usual` is answered and done where nothing goes wrong. */
  const reach = (stage: Stage, usual: string, done: () => void): void => {
    const fault = faults.find((candidate) => candidate.at === stage);
    fault?.onReach?.();
    const act = fault?.act ?? 'pass';
    if (act === 'pass') {
      done();
      write(usual, fault?.byteDelayMs);
    } else if (typeof act === 'object') {
      if (/^[23]/.test(act.reply) || fault?.taking === true) done();
      write(act.reply, fault?.byteDelayMs);
      if (act.reply.startsWith('421')) socket.end();
    } else {
      if (fault?.takingAfterMs !== undefined) setTimeout(done, fault.takingAfterMs).unref();
      else if (fault?.taking === true) done();
      if (act === 'stall') {
        stalled = true;
        socket.pause();
        return;
      }
      mode = 'deaf';
      if (act === 'close') socket.end();
      if (act === 'reset') socket.resetAndDestroy();
    }
  };

  const onMessageBytes = (): boolean => {
    const early = faults.find((fault) => fault.at === 'body' && messageBytes + received.length >= (fault.afterBytes ?? 0));
    if (early !== undefined && !bodyReached) {
      bodyReached = true;
      // An answer before the end is a refusal: the rest is read and dropped, as servers do.
      if (typeof early.act === 'object') discard = true;
      if (early.act === 'pass') early.onReach?.();
      else reach('body', '', () => {});
      return true;
    }
    // The end may be split over chunks.
    const window = Buffer.concat([message.at(-1)?.subarray(-4) ?? lineBreak, received]);
    const overlap = window.length - received.length;
    const end = window.indexOf('\r\n.\r\n');
    if (end < 0) {
      if (received.length === 0) return false;
      // Short pieces are joined, so that the last one always holds enough of an end.
      message.push(Buffer.concat([received.length < 4 ? (message.pop() ?? Buffer.alloc(0)) : Buffer.alloc(0), received]));
      messageBytes += received.length;
      received = Buffer.alloc(0);
      return false;
    }
    const whole = Buffer.concat([...message, received.subarray(0, Math.max(0, end + 5 - overlap))]);
    received = received.subarray(end + 5 - overlap);
    message = [lineBreak];
    messageBytes = 0;
    mode = 'command';
    const envelope = { from: from ?? '', to };
    from = null;
    to = [];
    if (discard) return true;
    reach('dot', '250 2.0.0 taken', () => {
      // DATA without an accepted recipient ends the transaction.
      if (envelope.to.length > 0) take({ envelope, raw: unstuffed(whole.subarray(0, -'.\r\n'.length)).subarray(lineBreak.length), atMs: Date.now() });
    });
    return true;
  };

  const onLine = (line: string): void => {
    const verb = line.split(' ')[0]?.toUpperCase() ?? '';
    const address = /<([^>]*)>/.exec(line)?.[1] ?? '';
    if (mode === 'login') {
      mode = 'command';
      onLogin(line);
    } else if (verb === 'EHLO') {
      const extensions = [
        'SIZE 26214400',
        '8BITMIME',
        ...(options.login === undefined ? [] : ['AUTH PLAIN']),
        ...(options.pipelining === false ? [] : ['PIPELINING']),
      ];
      reach(
        'ehlo',
        ['test.example.com', ...extensions].map((part, index, all) => `250${index === all.length - 1 ? ' ' : '-'}${part}`).join('\r\n'),
        () => {},
      );
    } else if (verb === 'HELO') {
      write('250 test.example.com', undefined);
    } else if (verb === 'AUTH') {
      const initial = line.split(' ')[2];
      if (initial !== undefined) onLogin(initial);
      else {
        mode = 'login';
        write('334 ', undefined);
      }
    } else if (verb === 'MAIL') {
      if (!loggedIn) write('530 5.7.0 log in first', undefined);
      else
        reach('mail', '250 2.1.0 ok', () => {
          from = address;
        });
    } else if (verb === 'RCPT') {
      if (from === null) write('503 5.5.1 MAIL first', undefined);
      else
        reach('rcpt', '250 2.1.5 ok', () => {
          to.push(address);
        });
    } else if (verb === 'DATA') {
      if (to.length === 0) write('554 5.5.1 no valid recipients', undefined);
      else
        reach('data', '354 go on', () => {
          mode = 'message';
        });
    } else if (verb === 'RSET' || verb === 'NOOP') {
      write('250 2.0.0 ok', undefined);
    } else if (verb === 'QUIT') {
      write('221 2.0.0 bye', undefined);
      socket.end();
    } else {
      write('500 5.5.2 what?', undefined);
    }
  };

  const onLogin = (encoded: string): void => {
    const [, user, password] = Buffer.from(encoded, 'base64').toString('utf8').split('\0');
    const right = user === options.login?.user && password === options.login?.password;
    if (!right) write('535 5.7.8 wrong user or password', undefined);
    else
      reach('auth', '235 2.7.0 welcome', () => {
        loggedIn = true;
      });
  };

  const read = (): void => {
    for (;;) {
      if (stalled || mode === 'deaf' || socket.destroyed) return;
      if (mode === 'message') {
        if (!onMessageBytes()) return;
        continue;
      }
      const end = received.indexOf('\r\n');
      if (end < 0) return;
      const line = received.subarray(0, end).toString('utf8');
      received = received.subarray(end + 2);
      onLine(line);
    }
  };
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk]);
    read();
  });
  onResume(() => {
    if (!stalled) return;
    stalled = false;
    socket.resume();
    read();
  });
  reach('greeting', '220 test.example.com ESMTP', () => {});
}

function unstuffed(message: Buffer): Buffer {
  return Buffer.from(message.toString('latin1').replace(/(^|\r\n)\./g, '$1'), 'latin1');
}

async function trickle(socket: Socket, text: string, byteDelayMs: number): Promise<void> {
  for (const byte of Buffer.from(text)) {
    await new Promise((resolve) => setTimeout(resolve, byteDelayMs));
    if (socket.destroyed) return;
    socket.write(Buffer.of(byte));
  }
}

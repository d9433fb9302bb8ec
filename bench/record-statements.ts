import pg from 'pg';

/** The statements that this process sent to Postgres. */
export interface Asked {
  statements: number;
  /** Times that the process waited for an answer: several statements in one message are one. */
  roundTrips: number;
  transactions: number;
  texts: string[];
}

export interface StatementRecorder {
  /** Take and clear the statements so far. */
  take(): Asked;
  stop(): void;
}

/** Listen to every statement of every connection of this process. */
export function recordStatements(): StatementRecorder {
  let asked = nothing();
  const busy = new WeakSet<pg.Client>();
  const { query }: { query: (...args: never[]) => unknown } = pg.Client.prototype;
  function listening(this: pg.Client & { pipeline?: boolean }, ...args: never[]): unknown {
    const text = textOf(args[0]);
    asked.texts.push(text);
    asked.statements += statementsIn(text);
    if (/^begin/i.test(text)) asked.transactions += 1;
    // What is written behind an unanswered statement waits for nothing, where the client may do so.
    if (this.pipeline !== true || !busy.has(this)) asked.roundTrips += 1;
    busy.add(this);
    this.once('drain', () => void busy.delete(this));
    return Reflect.apply(query, this, args);
  }
  const install = (value: unknown) => Object.defineProperty(pg.Client.prototype, 'query', { configurable: true, writable: true, value });
  install(listening);
  return {
    take() {
      const taken = asked;
      asked = nothing();
      return taken;
    },
    stop: () => void install(query),
  };
}

const nothing = (): Asked => ({ statements: 0, roundTrips: 0, transactions: 0, texts: [] });

/** Only `begin` brings others with it. */
const statementsIn = (text: string) => (/^begin/i.test(text) ? text.split(';').filter((part) => part.trim() !== '').length : 1);

function textOf(asked: unknown): string {
  if (typeof asked === 'string') return asked;
  const known = typeof asked === 'object' && asked !== null && 'text' in asked ? asked.text : null;
  return typeof known === 'string' ? known : '';
}

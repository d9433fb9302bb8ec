import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Answers, openAnswers, type OnnxRuntime } from './answers.ts';
import { OwnModelError } from './own-model-error.ts';
import { type Patience, runtimeInThread } from './runtime-in-thread.ts';

/** A model that a store has brought as a file, opened. */
export interface OwnModelFile {
  /** Of the file, in hexadecimal. */
  sha256: string;
  /** What it says about each, 0 to 1; NaN where it says nothing. @throws OwnModelError where it fails */
  answer: Answers['answer'];
}

const mostBytes = 64 * 1024 * 1024;
const mostOpen = 50;
/** A file that failed is not asked again before: it may have taken all the time it was given. */
const againAfterMs = 10 * 60_000;

/**
 * The models of their own that stores have brought: `<id of the store>.onnx` in one folder. A file is opened when it is asked for, and again once it has
 * changed. ONNX Runtime is loaded with the first of them, and never without one.
 */
export class OwnModels {
  #open = new Map<string, { version: string; answers: Answers; sha256: string }>();
  #failed = new Map<string, { version: string; untilMs: number; error: OwnModelError }>();
  #runtime: Promise<OnnxRuntime> | null = null;
  /** One after the other: a file is opened once, and a session answers one question at a time. */
  #turn: Promise<unknown> = Promise.resolve();

  readonly #folder: string | null;
  readonly #load: () => Promise<OnnxRuntime>;

  /**
   * @param folder - null: nobody brings any
   * @param load - loads ONNX Runtime; fails where it is not installed
   */
  constructor(folder: string | null, load: () => Promise<OnnxRuntime> = () => loadRuntime()) {
    this.#folder = folder;
    this.#load = load;
  }

  /**
   * @returns null where the store has brought none
   * @throws OwnModelError where there is a file, and it cannot be used
   */
  of(tenantId: string): Promise<OwnModelFile | null> {
    const folder = this.#folder;
    if (folder === null) return Promise.resolve(null);
    return this.#inTurn(() => this.#find(tenantId, join(folder, `${tenantId}.onnx`)));
  }

  async #find(tenantId: string, path: string): Promise<OwnModelFile | null> {
    const file = await stat(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
      throw new OwnModelError(`${path} cannot be read: ${error.message}.`, { cause: error });
    });
    if (file === null) {
      await this.#close(tenantId);
      this.#failed.delete(tenantId);
      return null;
    }
    if (!file.isFile()) throw new OwnModelError(`${path} is no file.`);
    if (file.size > mostBytes) throw new OwnModelError(`${path} has ${file.size} bytes, and at most ${mostBytes} are read: bring a smaller model.`);
    const version = `${file.mtimeMs} ${file.size} ${file.ino}`;
    const failure = this.#failed.get(tenantId);
    if (failure?.version === version && performance.now() < failure.untilMs) throw failure.error;
    if (this.#open.get(tenantId)?.version !== version) {
      await this.#close(tenantId);
      const bytes = await readFile(path).catch((error: Error) => {
        throw new OwnModelError(`${path} cannot be read: ${error.message}.`, { cause: error });
      });
      const runtime = await this.#runtimeOf();
      const answers = await this.#remembering(tenantId, version, () => openAnswers(runtime, path, bytes));
      const opened = { version, answers, sha256: createHash('sha256').update(bytes).digest('hex') };
      for (const oldest of this.#open.keys()) {
        if (this.#open.size < mostOpen) break;
        await this.#close(oldest);
      }
      this.#open.set(tenantId, opened);
    }
    const { answers, sha256 } = this.#open.get(tenantId) ?? unreachable();
    return { sha256, answer: (examples) => this.#inTurn(() => this.#remembering(tenantId, version, () => answers.answer(examples))) };
  }

  /** Its thread may be gone after a failure: the file is opened anew, once some time has passed. */
  async #remembering<T>(tenantId: string, version: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof OwnModelError) {
        this.#failed.set(tenantId, { version, untilMs: performance.now() + againAfterMs, error });
        await this.#close(tenantId);
      }
      throw error;
    }
  }

  async #close(tenantId: string): Promise<void> {
    const known = this.#open.get(tenantId);
    this.#open.delete(tenantId);
    await known?.answers.close();
  }

  async #runtimeOf(): Promise<OnnxRuntime> {
    try {
      return await (this.#runtime ??= this.#load());
    } catch (error) {
      // It may be installed by the next time.
      this.#runtime = null;
      throw new OwnModelError(
        `ONNX Runtime is not installed, which a model of a store’s own needs: \`npm install --no-save onnxruntime-web@${runtimeVersion}\`, or take the file out of the folder.`,
        { cause: error },
      );
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work, work);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}

const runtimeVersion = '1.30.0';
/** Not a literal in a call: the compiler would have to find what may not be installed. */
const runtimePackage: string = 'onnxruntime-web/wasm';
export const loadRuntime = async (patience?: Patience): Promise<OnnxRuntime> => runtimeInThread(runtimePackage, patience);

function unreachable(): never {
  throw new Error('a model that was just opened is not there');
}

import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { OnnxRuntime, Session, Tensor } from './answers.ts';

/** How long a file may take. A good one takes milliseconds; a busy machine makes seconds of them. */
export interface Patience {
  openMs: number;
  runMs: number;
}

const patience: Patience = { openMs: 30_000, runMs: 10_000 };

/** Written in JavaScript, so that it runs from the sources and from the build alike. */
const program = `
const { parentPort, workerData } = require('node:worker_threads');
let ort, session;
const answer = async (asked) => {
  if (asked.kind === 'open') {
    const loaded = await import(workerData.runtime);
    ort = loaded.InferenceSession === undefined ? loaded.default : loaded;
    ort.env.wasm.numThreads = 1;
    ort.env.logLevel = 'error';
    session = await ort.InferenceSession.create(asked.bytes);
    return { inputMetadata: session.inputMetadata, outputMetadata: session.outputMetadata };
  }
  const feeds = Object.fromEntries(asked.feeds.map(([name, { type, data, dims }]) => [name, new ort.Tensor(type, data, dims)]));
  const given = await session.run(feeds, asked.outputs);
  return Object.fromEntries(Object.entries(given).map(([name, { data, dims }]) => [name, { data, dims }]));
};
parentPort.on('message', (asked) =>
  answer(asked).then(
    (result) => parentPort.postMessage({ result }),
    (error) => parentPort.postMessage({ error: error instanceof Error ? error.message : String(error) }),
  ),
);
`;

type Asked =
  | { kind: 'open'; bytes: Uint8Array }
  | { kind: 'run'; feeds: [string, { type: string; data: unknown; dims: readonly number[] }][]; outputs: readonly string[] };

/**
 * ONNX Runtime, with each file in a thread of its own. A file is a program: one that counts without an end would otherwise stop this process, and with it every
 * store's messages. A file that takes too long is ended with its thread.
 * @param specifier - of the package
 * @throws where it is not installed
 */
export function runtimeInThread(specifier: string, { openMs, runMs }: Patience = patience): OnnxRuntime {
  const runtime = pathToFileURL(createRequire(import.meta.url).resolve(specifier)).href;
  return {
    InferenceSession: {
      async create(bytes) {
        const thread = new Worker(program, { eval: true, workerData: { runtime }, resourceLimits: { maxOldGenerationSizeMb: 256 } });
        thread.unref();
        try {
          const described = (await ask(thread, { kind: 'open', bytes }, openMs)) as Pick<Session, 'inputMetadata' | 'outputMetadata'>;
          return { ...described, ...sessionIn(thread, runMs) };
        } catch (error) {
          await thread.terminate();
          throw error;
        }
      },
    },
    Tensor: PlainTensor,
  };
}

class PlainTensor implements Tensor {
  readonly type: 'float32' | 'float64';
  readonly data: Float32Array | Float64Array;
  readonly dims: readonly number[];

  constructor(type: 'float32' | 'float64', data: Float32Array | Float64Array, dims: readonly number[]) {
    this.type = type;
    this.data = data;
    this.dims = dims;
  }
}

function sessionIn(thread: Worker, runMs: number): Pick<Session, 'run' | 'release'> {
  return {
    run: async (feeds, outputs) =>
      (await ask(thread, { kind: 'run', feeds: Object.entries(feeds) as [string, PlainTensor][], outputs }, runMs)) as Record<
        string,
        Tensor | undefined
      >,
    release: async () => void (await thread.terminate()),
  };
}

/** One question at a time. The thread keeps the process alive only while it is asked. */
function ask(thread: Worker, asked: Asked, withinMs: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    thread.ref();
    const over = (settle: () => void) => {
      clearTimeout(deadline);
      thread.off('message', onMessage).off('error', onError).off('exit', onExit);
      thread.unref();
      settle();
    };
    const onMessage = (told: { result: unknown } | { error: string }) =>
      over(() => ('error' in told ? reject(new Error(told.error)) : resolve(told.result)));
    const onError = (error: Error) => over(() => reject(error));
    const onExit = () => over(() => reject(new Error('its thread has ended')));
    const deadline = setTimeout(() => {
      void thread.terminate();
      over(() => reject(new Error(`it takes longer than ${withinMs / 1_000} s`)));
    }, withinMs);
    thread.on('message', onMessage).on('error', onError).on('exit', onExit);
    thread.postMessage(asked);
  });
}

import type { Features } from '../../domain/risk/example.ts';
import { isChance, isOwnModelFeature, numberOf, ownModelFeatures } from '../../domain/risk/own-model.ts';
import { OwnModelError } from './own-model-error.ts';

/**
 * As much of ONNX Runtime (`onnxruntime-web`) as is used. Written down here because the package may be missing: it is an optional dependency, and what is not
 * there cannot be compiled against.
 */
export interface OnnxRuntime {
  InferenceSession: { create(bytes: Uint8Array): Promise<Session> };
  Tensor: new (type: 'float32' | 'float64', data: Float32Array | Float64Array, dims: readonly number[]) => Tensor;
}

export interface Session {
  inputMetadata: readonly ValueDescription[];
  outputMetadata: readonly ValueDescription[];
  run(feeds: Record<string, Tensor>, outputs: readonly string[]): Promise<Record<string, Tensor | undefined>>;
  release(): Promise<void>;
}

type ValueDescription = { name: string; isTensor: false } | { name: string; isTensor: true; type: string; shape: readonly (number | string)[] };

export interface Tensor {
  dims: readonly number[];
  data: unknown;
}

/** A file that answers. Ask it one question at a time. */
export interface Answers {
  answer(examples: readonly Features[]): Promise<number[]>;
  close(): Promise<void>;
}

/** The input of one file: all features in their order, or one input for each by its name. */
type Inputs = { kind: 'all'; name: string } | { kind: 'named'; names: readonly string[] };

/** So many rows go through a file at once. */
const rowsAtOnce = 4_096;
/** What a dimension of any size is described as, where it has no name. */
const anySize = 0xff_ff_ff_ff;
const outputNames = ['probabilities', 'output_probability', 'probability'];

/**
 * Open a file and see that it answers.
 * @param path - named in errors
 * @throws OwnModelError which says what is wrong with the file
 */
export async function openAnswers(runtime: OnnxRuntime, path: string, bytes: Uint8Array): Promise<Answers> {
  const wrong = (what: string, cause?: unknown) => new OwnModelError(`${path} ${what}`, cause === undefined ? {} : { cause });
  let session: Session;
  try {
    session = await runtime.InferenceSession.create(bytes);
  } catch (error) {
    throw wrong(`is no ONNX model that can be opened: ${messageOf(error)}`, error);
  }
  try {
    const inputs = inputsOf(session, wrong);
    const output = outputOf(session, wrong);
    const precision = session.inputMetadata[0]?.isTensor === true && session.inputMetadata[0].type === 'float64' ? 'float64' : 'float32';
    const first = session.inputMetadata[0];
    const most = first?.isTensor === true && first.shape[0] === 1 ? 1 : rowsAtOnce;

    const ask = async (examples: readonly Features[]): Promise<number[]> => {
      const feeds: Record<string, Tensor> = {};
      const column = (names: readonly string[]) => {
        const values = examples.flatMap((features) => names.map((name) => numberOf(features, name)));
        return precision === 'float64'
          ? new runtime.Tensor('float64', Float64Array.from(values), [examples.length, names.length])
          : new runtime.Tensor('float32', Float32Array.from(values), [examples.length, names.length]);
      };
      if (inputs.kind === 'all') feeds[inputs.name] = column(ownModelFeatures);
      else for (const name of inputs.names) feeds[name] = column([name]);
      let answered: Tensor | undefined;
      try {
        answered = (await session.run(feeds, [output]))[output];
      } catch (error) {
        throw wrong(`fails when it is asked: ${messageOf(error)}`, error);
      }
      if (answered === undefined) throw wrong(`does not give its output "${output}"`);
      return chancesOf(answered, examples.length, wrong);
    };
    const answer = async (examples: readonly Features[]): Promise<number[]> => {
      const chances: number[] = [];
      for (let from = 0; from < examples.length; from += most) chances.push(...(await ask(examples.slice(from, from + most))));
      return chances;
    };
    // Where everything is known: what it does with what is unknown is its own business.
    const names = inputs.kind === 'all' ? ownModelFeatures : inputs.names;
    const known = Object.fromEntries(names.map((name) => [name, 1]));
    for (const chance of await answer([known, known]))
      if (!isChance(chance)) throw wrong(`answers ${chance} about an account of which everything is known, which is no chance from 0 to 1.`);
    return { answer, close: () => session.release() };
  } catch (error) {
    await session.release();
    throw error;
  }
}

type Wrong = (what: string, cause?: unknown) => OwnModelError;

function inputsOf(session: Session, wrong: Wrong): Inputs {
  const all = session.inputMetadata;
  const types = new Set<string>();
  for (const input of all) {
    if (!input.isTensor || (input.type !== 'float32' && input.type !== 'float64'))
      throw wrong(`wants ${input.isTensor ? input.type : 'no tensor'} as its input "${input.name}": inputs have to be tensors of float or double.`);
    types.add(input.type);
  }
  if (types.size !== 1) throw wrong('mixes inputs of float and double: use one of them.');
  const columnsOf = (shape: readonly (number | string)[]) => (shape.length < 2 ? 1 : shape[1]);
  const shapes = all.map((input) => ({
    name: input.name,
    columns: input.isTensor ? columnsOf(input.shape) : 0,
    rows: input.isTensor ? input.shape[0] : 0,
  }));
  for (const { name, rows } of shapes)
    if (typeof rows === 'number' && rows !== 1 && rows < anySize)
      throw wrong(`wants ${rows} rows at once as its input "${name}": let the first dimension be of any size, or 1.`);
  const unknown = shapes.filter(({ name, columns }) => columns !== 1 || !isOwnModelFeature(name));
  if (unknown.length === 0) return { kind: 'named', names: shapes.map(({ name }) => name) };
  const [only] = shapes;
  const fits =
    only !== undefined &&
    shapes.length === 1 &&
    (typeof only.columns === 'string' || only.columns === anySize || only.columns === ownModelFeatures.length);
  if (fits) return { kind: 'all', name: only.name };
  throw wrong(
    `wants ${unknown.map(({ name, columns }) => `"${name}" (${columns} columns)`).join(', ')}: it has to have one input of the ${ownModelFeatures.length} features in their order, or one input of a column for each that it uses, named after it. docs/risk.md has their names.`,
  );
}

function outputOf(session: Session, wrong: Wrong): string {
  const named = session.outputMetadata.find(({ name }) => outputNames.includes(name));
  if (named !== undefined && !named.isTensor)
    throw wrong(`gives its chances as a list of maps ("${named.name}"): convert it with \`zipmap: False\`, so that they are a tensor.`);
  const numbers = session.outputMetadata.filter((output) => output.isTensor && (output.type === 'float32' || output.type === 'float64'));
  const chosen = numbers.find(({ name }) => outputNames.includes(name)) ?? (numbers.length === 1 ? numbers[0] : undefined);
  if (chosen === undefined)
    throw wrong(
      `gives ${session.outputMetadata.map(({ name }) => `"${name}"`).join(', ')}: the chance has to be an output of float or double that is called \`probabilities\`, or the only one of that kind. A classifier of scikit-learn is converted with \`zipmap: False\`.`,
    );
  return chosen.name;
}

/** Of two columns the second one, which is the class 1. */
function chancesOf(tensor: Tensor, rows: number, wrong: Wrong): number[] {
  const columns = tensor.dims.length === 2 ? (tensor.dims[1] ?? 1) : 1;
  if (tensor.dims[0] !== rows || tensor.dims.length > 2 || columns < 1 || columns > 2)
    throw wrong(
      `answers in the shape ${tensor.dims.join(' × ')} for ${rows} rows: it has to be one chance for each, or two columns of which the second is the chance.`,
    );
  const data = Array.from(tensor.data as ArrayLike<number>);
  return Array.from({ length: rows }, (_, row) => data[row * columns + columns - 1] ?? Number.NaN);
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).slice(0, 300);

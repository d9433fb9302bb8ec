import { type Document, isMap, isSeq, parse, parseDocument, stringify, YAMLMap } from 'yaml';
import { canonical } from '../versions/compare-versions.ts';

/** A sequence without steps yet: it cannot be published. */
export function newSequenceFile(fields: Readonly<Record<string, unknown>>): string {
  return stringify({ ...fields, steps: [] });
}

export const sequenceFileOf = (plain: Readonly<Record<string, unknown>>): string => stringify(plain);

/** Set fields of the sequence itself; undefined: they are taken away. Comments stay. */
export function setFields(yaml: string, fields: Readonly<Record<string, unknown>>): string {
  const document = parseDocument(yaml);
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) document.delete(name);
    else document.set(name, value);
  }
  return document.toString();
}

/** @param at - its place, counted from 0; beyond the end: the last */
export function insertStep(yaml: string, step: Readonly<Record<string, unknown>>, at: number): string {
  const document = parseDocument(yaml);
  const steps = stepsIn(document);
  steps.flow = false;
  steps.items.splice(at, 0, document.createNode(step, { flow: true }));
  return document.toString();
}

/** @param fields - undefined: the field is taken away. @param to - its new place; null: it stays. @returns null: there is no such step */
export function changeStep(yaml: string, id: string, fields: Readonly<Record<string, unknown>>, to: number | null): string | null {
  const document = parseDocument(yaml);
  const steps = stepsIn(document);
  const index = indexOf(steps, id);
  const step = steps.items[index];
  if (!(step instanceof YAMLMap)) return null;
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) step.delete(name);
    else step.set(name, document.createNode(value, { flow: true }));
  }
  if (to !== null) steps.items.splice(to, 0, ...steps.items.splice(index, 1));
  return document.toString();
}

/** @returns null: there is no such step */
export function removeStep(yaml: string, id: string): string | null {
  const document = parseDocument(yaml);
  const steps = stepsIn(document);
  const index = indexOf(steps, id);
  if (index < 0) return null;
  steps.items.splice(index, 1);
  return document.toString();
}

/** What a file says, as plain data. @throws YAMLParseError where it is no YAML */
export const saidIn = (yaml: string): unknown => parse(yaml, { maxAliasCount: 50 });

/**
 * The file that says what a form says. Comments, and whatever stays as it was, stay as they are written.
 * @param yaml - the file so far; null: there is none
 */
export function fileSaying(yaml: string | null, said: Readonly<Record<string, unknown>>): string {
  const anew = () => stringify(said);
  if (yaml === null) return anew();
  const document = parseDocument(yaml);
  if (document.errors.length > 0 || !isMap(document.contents)) return anew();
  const { steps, ...fields } = said;
  setChanged(document, document.toJS({ maxAliasCount: 50 }), fields, ['steps']);
  if (Array.isArray(steps)) {
    const list = stepsIn(document);
    if (steps.length > 0) list.flow = false;
    const before = [...list.items];
    list.items = steps.map((step: unknown) => {
      const item = before.find((one) => isMap(one) && isFields(step) && one.get('id') === step['id']);
      if (!(item instanceof YAMLMap) || !isFields(step)) return document.createNode(step, { flow: true });
      before.splice(before.indexOf(item), 1);
      setChanged(
        { set: (name, value) => item.set(name, document.createNode(value, { flow: true })), delete: (name) => item.delete(name) },
        item.toJS(document),
        step,
      );
      return item;
    });
  } else if (steps === undefined) document.delete('steps');
  else document.set('steps', steps);
  // An alias whose anchor went, for one, cannot be written.
  try {
    const merged = document.toString();
    return isSame(saidIn(merged), saidIn(anew())) ? merged : anew();
  } catch {
    return anew();
  }
}

function setChanged(
  on: { set(name: string, value: unknown): void; delete(name: string): void },
  before: unknown,
  after: Readonly<Record<string, unknown>>,
  except: readonly string[] = [],
): void {
  const was = isFields(before) ? before : {};
  for (const name of Object.keys(was)) if (!(name in after) && !except.includes(name)) on.delete(name);
  for (const [name, value] of Object.entries(after)) if (!isSame(was[name], value)) on.set(name, value);
}

const isSame = (a: unknown, b: unknown) => canonical(a) === canonical(b);
const isFields = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The ids of its steps, and the fields that each has. */
export function stepsOfFile(yaml: string): { id: string; fields: ReadonlySet<string> }[] {
  const { items } = stepsIn(parseDocument(yaml));
  return items.flatMap((item) => {
    const id: unknown = isMap(item) ? item.get('id') : undefined;
    return isMap(item) && typeof id === 'string' ? [{ id, fields: new Set(item.items.map(({ key }) => String(key))) }] : [];
  });
}

function stepsIn(document: Document) {
  const found = document.get('steps');
  if (isSeq(found)) return found;
  const made = document.createNode([]);
  document.set('steps', made);
  if (!isSeq(made)) throw new Error('a list is no list');
  return made;
}

const indexOf = (steps: { items: unknown[] }, id: string) => steps.items.findIndex((item) => isMap(item) && item.get('id') === id);

import { type Document, isMap, isSeq, parseDocument, stringify, YAMLMap } from 'yaml';

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

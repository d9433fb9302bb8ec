import { join, resolve } from 'node:path';
import { getTableColumns, getTableName, isTable, type Table } from 'drizzle-orm';
import ts from 'typescript';
import * as schema from '../../db/schema/index.ts';

/** What statements ask of one table. `update`: the columns that they write. */
export interface Rights {
  select: boolean;
  insert: boolean;
  delete: boolean;
  update: Set<string>;
}
export type RightsByTable = Map<string, Rights>;

const root = resolve(import.meta.dirname, '../..');
// Everything that reaches the database as the application's role.
const shipped = ['activities', 'api', 'db', 'integrations', 'operations', 'temporal', 'worker', 'local'];
const tables = new Map<string, Table>(Object.entries(schema).flatMap(([name, table]) => (isTable(table) ? [[name, table]] : [])));

/** What the code's own statements need: drizzle's builders by the types of what they are given, and SQL in templates and in `query({ text })`. */
export function rightsOfCode(tableNames: readonly string[]): RightsByTable {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (file) => ts.sys.readFile(file));
  const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const files = fileNames.filter((file) => shipped.some((folder) => file.startsWith(join(root, folder) + '/')));
  const program = ts.createProgram(files, options);
  const checker = program.getTypeChecker();
  const rights = noRights(tableNames);
  for (const file of program.getSourceFiles()) if (files.includes(file.fileName)) visit(file);
  return rights;

  function visit(node: ts.Node): void {
    if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) readCall(node, node.expression.name.text);
    if (ts.isTaggedTemplateExpression(node) && node.tag.getText() === 'sql') addStatements(rights, textOf(node.template));
    ts.forEachChild(node, visit);
  }

  function readCall(call: ts.CallExpression, method: string): void {
    const text = method === 'query' && call.arguments[0] !== undefined ? propertyOf(call.arguments[0], 'text') : undefined;
    if (text !== undefined && ts.isTemplateLiteral(text)) addStatements(rights, textOf(text));
    const table = tableOf(call.arguments[0]);
    if (table === null) return;
    const needed = rights.get(getTableName(table));
    if (needed === undefined) return;
    const later = chainOf(call);
    const set = (value: ts.Node | undefined) => {
      for (const key of value === undefined ? [] : keysGivenBy(value)) needed.update.add(columnOf(table, key));
    };
    if (/^(from|(inner|left|right|full)Join)$/.test(method)) needed.select = true;
    if (method === 'delete') needed.select = needed.delete = true;
    if (method === 'insert') {
      needed.insert = true;
      if (later.has('returning') || later.has('onConflictDoUpdate') || (later.get('onConflictDoNothing')?.arguments.length ?? 0) > 0)
        needed.select = true;
      const conflict = later.get('onConflictDoUpdate')?.arguments[0];
      if (conflict !== undefined) set(propertyOf(conflict, 'set'));
    }
    if (method === 'update') {
      needed.select = true;
      set(later.get('set')?.arguments[0]);
    }
  }

  // Read off where they are written out; asking the type of everything would take a minute.
  function keysGivenBy(value: ts.Node): string[] {
    if (ts.isParenthesizedExpression(value)) return keysGivenBy(value.expression);
    if (ts.isConditionalExpression(value)) return [...keysGivenBy(value.whenTrue), ...keysGivenBy(value.whenFalse)];
    if (!ts.isObjectLiteralExpression(value)) return keysOf(checker.getTypeAtLocation(value));
    return value.properties.flatMap((property) =>
      ts.isSpreadAssignment(property) ? keysGivenBy(property.expression) : [property.name?.getText() ?? ''],
    );
  }

  function keysOf(type: ts.Type): string[] {
    // What `.set(a ? b : c)` may be given is all that any of them has.
    if (type.isUnion()) return type.types.flatMap(keysOf);
    return checker.getPropertiesOfType(type).flatMap((property) => (isNever(property) ? [] : [property.name]));
  }

  // `{ a: 1 } | { a?: undefined }`: a union's other halves name keys that they do not have.
  function isNever(property: ts.Symbol): boolean {
    const flags = checker.getTypeOfSymbol(property).flags;
    return (flags & (ts.TypeFlags.Undefined | ts.TypeFlags.Never)) !== 0;
  }

  function textOf(template: ts.TemplateLiteral): string {
    if (ts.isNoSubstitutionTemplateLiteral(template)) return template.text;
    return template.head.text + template.templateSpans.map(({ expression, literal }) => nameOf(expression) + literal.text).join('');
  }

  function nameOf(expression: ts.Expression): string {
    const table = tableOf(expression);
    if (table !== null) return getTableName(table);
    if (!ts.isPropertyAccessExpression(expression)) return '$1';
    const owner = tableOf(expression.expression);
    return owner === null ? '$1' : columnOf(owner, expression.name.text);
  }

  function tableOf(node: ts.Node | undefined): Table | null {
    return node !== undefined && ts.isIdentifier(node) ? (tables.get(node.text) ?? null) : null;
  }
}

/** The calls that a builder is followed by: `.set(…)`, `.where(…)`. */
function chainOf(call: ts.CallExpression): Map<string, ts.CallExpression> {
  const calls = new Map<string, ts.CallExpression>();
  for (let node: ts.Node = call; ts.isPropertyAccessExpression(node.parent) && ts.isCallExpression(node.parent.parent); node = node.parent.parent)
    calls.set(node.parent.name.text, node.parent.parent);
  return calls;
}

function propertyOf(node: ts.Node, name: string): ts.Node | undefined {
  if (!ts.isObjectLiteralExpression(node)) return undefined;
  for (const property of node.properties) {
    if (property.name?.getText() !== name) continue;
    return ts.isPropertyAssignment(property) ? property.initializer : property.name;
  }
  return undefined;
}

function columnOf(table: Table, key: string): string {
  const column = getTableColumns(table)[key];
  if (column === undefined) throw new Error(`${getTableName(table)} has no column ${key}`);
  return column.name;
}

export function noRights(tableNames: readonly string[]): RightsByTable {
  return new Map(tableNames.map((name) => [name, { select: false, insert: false, delete: false, update: new Set() }]));
}

/** Add what the statements of a text need: of a template, or of a function's body. */
export function addStatements(rights: RightsByTable, text: string): void {
  const sql = text
    .replace(/--[^\n]*/g, ' ')
    .replace(/'(?:[^']|'')*'/g, "''")
    .replace(/\bpublic\./g, '')
    .replace(/\s+/g, ' ')
    .toLowerCase();
  const note = (name: string | undefined, change: (needed: Rights) => void) => {
    const needed = rights.get(name ?? '');
    if (needed !== undefined) change(needed);
  };
  for (const [, name] of sql.matchAll(/\b(?:from|join) (?:only )?(\w+)/g)) note(name, (needed) => (needed.select = true));
  for (const [, name] of sql.matchAll(/\bdelete from (\w+)/g)) note(name, (needed) => (needed.delete = true));
  for (const [, name, rest = ''] of sql.matchAll(/\binsert into (\w+)([^;]*)/g))
    note(name, (needed) => {
      needed.insert = true;
      // Only this one's own end: the statement that contains it may go on.
      const [own = ''] = rest.split(/\binsert into\b/);
      if (/\bon conflict \(|\breturning\b/.test(own)) needed.select = true;
      for (const column of assigned(/\bdo update set (.*)/.exec(own)?.[1] ?? '')) needed.update.add(column);
    });
  for (const [, name, rest = ''] of sql.matchAll(/\bupdate (\w+)(?: (?:as )?(?!set\b)\w+)? set ([^;]*)/g))
    note(name, (needed) => {
      needed.select = true;
      for (const column of assigned(rest)) needed.update.add(column);
    });
}

/** The columns on the left of `a = …, (b, c) = …`, up to where the assignments end. */
function assigned(text: string): string[] {
  const columns: string[] = [];
  let depth = 0;
  let part = '';
  const end = () => {
    const [, one, several] = /^\s*(?:"?(\w+)"?|\(([\w", ]+)\)) =/.exec(part) ?? [];
    columns.push(...(one ?? several ?? '').split(/[", ]+/).filter((column) => column !== ''));
    part = '';
  };
  for (const [piece] of text.matchAll(/\b(?:from|where|returning)\b|[(),]|[^(),]/g)) {
    if (depth === 0 && /^(from|where|returning)$/.test(piece)) break;
    if (piece === '(') depth += 1;
    if (piece === ')') depth -= 1;
    if (depth < 0) break;
    if (piece === ',' && depth === 0) end();
    else part += piece;
  }
  end();
  return columns;
}

import { type SqlStatement, sqlStatements } from './sql-statements.ts';

/** What a migration may not do while the build before still runs; source: docs/migrations.md. */
const rules: { breaks: RegExp; what: string; alsoOnNewTables?: true }[] = [
  { breaks: /^drop\b/, what: 'drops something', alsoOnNewTables: true },
  { breaks: /^truncate\b/, what: 'empties a table', alsoOnNewTables: true },
  { breaks: /^alter\b.* rename\b/, what: 'renames something', alsoOnNewTables: true },
  { breaks: /^alter\b.* set schema\b/, what: 'moves something to another schema', alsoOnNewTables: true },
  { breaks: /^alter (?:type|policy|domain)\b(?!.* add value\b)/, what: 'changes a type or a policy', alsoOnNewTables: true },
  { breaks: /^revoke\b.* from (?:.*\b)?rekindle_app\b/, what: 'takes a right from the application', alsoOnNewTables: true },
  { breaks: /^do\b.*\b(?:drop|rename|truncate|alter)\b/, what: 'changes something in a `do` block', alsoOnNewTables: true },
  { breaks: /^create unique index\b/, what: 'makes rows unique that were not' },
  { breaks: /^create policy\b.* as restrictive\b/, what: 'hides rows' },
  { breaks: /^alter table\b.* (?:enable|disable|force) (?:row level security|rule|trigger)\b/, what: 'changes who sees which rows' },
];

/** The same for each action of an `alter table`. */
const actionRules: typeof rules = [
  { breaks: /^drop\b/, what: 'drops something' },
  { breaks: /^alter (?:column )?(?!column )\S+ (?:set data )?type\b/, what: 'changes the type of a column' },
  { breaks: /^alter (?:column )?(?!column )\S+ drop\b/, what: 'takes from a column what older code relies on' },
  { breaks: /^alter (?:column )?(?!column )\S+ set not null\b/, what: 'requires a value that older code does not give' },
  { breaks: /^add (?:constraint|check|unique|primary key|foreign key|exclude)\b/, what: 'forbids rows that older code writes' },
  {
    breaks: /^add (?:column )?(?!constraint\b|check\b|unique\b|primary\b|foreign\b|exclude\b)(?!.*\b(?:default|generated)\b).*\bnot null\b/,
    what: 'adds a column that requires a value and has no default',
  },
  { breaks: /^add (?:column )?(?!constraint\b).*\b(?:unique|references|primary key|check)\b/, what: 'adds a column with a condition' },
];

const reasonPattern = /^contract: *(\S.*)/m;
const plainName = (name: string) => name.replaceAll('"', '').replace(/^public\./, '');
const tableOf = (code: string) => {
  const name = /^(?:alter table (?:if exists )?(?:only )?|create (?:unique )?index .*? on (?:only )?|create policy \S+ on )([\w."]+)/.exec(code)?.[1];
  return name === undefined ? null : plainName(name);
};
const actionsOf = (code: string) => {
  const actions = /^alter table (?:if exists )?(?:only )?\S+ (.*)$/.exec(code)?.[1];
  // A comma between parentheses belongs to a list of columns or to a type.
  return actions === undefined ? [] : actions.split(/,(?![^(]*\))/).map((action) => action.trim());
};

function breaksOf({ code }: SqlStatement, onNewTable: boolean): string[] {
  const whole = rules.filter(({ breaks, alsoOnNewTables }) => breaks.test(code) && (alsoOnNewTables || !onNewTable));
  const actions = onNewTable ? [] : actionsOf(code).flatMap((action) => actionRules.filter(({ breaks }) => breaks.test(action)));
  return [...new Set([...whole, ...actions].map(({ what }) => what))];
}

/**
 * The statements of a migration that could break the build before, unless they say why nothing uses the thing any more:
 * `-- contract: <why>`, before the statement or in it.
 * @returns one line for each statement that says nothing; empty when the migration may run while the build before still does
 */
export function unsafeStatements(sql: string): string[] {
  const statements = sqlStatements(sql);
  const made = new Set(
    statements.flatMap(({ code }) => {
      const name = /^create table (?:if not exists )?([\w."]+)/.exec(code)?.[1];
      return name === undefined ? [] : [plainName(name)];
    }),
  );
  return statements.flatMap((statement) => {
    if (reasonPattern.test(statement.comments)) return [];
    const broken = breaksOf(statement, made.has(tableOf(statement.code) ?? ''));
    return broken.length === 0 ? [] : [`${broken.join(', ')}: ${statement.code.slice(0, 120)}`];
  });
}

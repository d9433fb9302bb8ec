/** One statement of an SQL file as Postgres would read it. */
export interface SqlStatement {
  /** In lower case, without comments, in one line; texts and function bodies are emptied, except the body of `do`, which runs at once. */
  code: string;
  /** What stands in its `--` comments, in order, a comment over several lines being one. */
  comments: string;
}

const parts = {
  lineComment: /--[^\n]*/y,
  blockComment: /\/\*[\s\S]*?\*\//y,
  text: /'(?:[^']|'')*'/y,
  name: /"(?:[^"]|"")*"/y,
  body: /\$(\w*)\$[\s\S]*?\$\1\$/y,
};

/** Split SQL into its statements. A comment belongs to the statement in which it stands, or before which it stands. */
export function sqlStatements(sql: string): SqlStatement[] {
  const statements: SqlStatement[] = [];
  let code = '';
  let comments: string[] = [];
  const end = () => {
    const oneLine = code.replace(/\s+/g, ' ').trim();
    if (oneLine !== '') {
      statements.push({ code: oneLine, comments: comments.join('\n') });
      comments = [];
    }
    code = '';
  };
  for (let at = 0; at < sql.length; ) {
    const found = partAt(sql, at);
    if (found === null) {
      const character = sql[at] ?? '';
      if (character === ';') end();
      else code += character.toLowerCase();
      at += 1;
      continue;
    }
    at += found.text.length;
    if (found.kind === 'lineComment') comments.push(found.text.slice(2).trim());
    else if (found.kind === 'name') code += found.text.toLowerCase();
    else if (found.kind === 'text') code += "''";
    else if (found.kind === 'body') code += /^\s*do\b/.test(code) ? inOneLine(found.text) : '$$';
    if (found.kind === 'lineComment' || found.kind === 'blockComment') code += ' ';
  }
  end();
  return statements;
}

/** What a `do` block says. */
function inOneLine(body: string): string {
  return sqlStatements(body.replaceAll(/^\$\w*\$|\$\w*\$$/g, ' '))
    .map((statement) => statement.code)
    .join('; ');
}

function partAt(sql: string, at: number): { kind: keyof typeof parts; text: string } | null {
  for (const kind of ['lineComment', 'blockComment', 'text', 'name', 'body'] as const) {
    const part = parts[kind];
    part.lastIndex = at;
    const [text] = part.exec(sql) ?? [];
    if (text !== undefined) return { kind, text };
  }
  return null;
}

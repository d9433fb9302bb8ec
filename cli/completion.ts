import { type Answer, type Command, UsageError } from './command.ts';

type Commands = Readonly<Record<string, Command>>;

/** What follows a command: its own commands, and its options. */
interface Words {
  name: string;
  summary: string;
  actions: string[];
  options: string[];
}

const scripts: Readonly<Record<string, (words: readonly Words[]) => string[]>> = { bash, zsh, fish };

/** @param commands - all of them, this one included */
export const completion = (commands: () => Commands): Command => ({
  summary: 'completion of commands and options for a shell',
  usage: `rekindle completion bash | zsh | fish

Prints a script for the shell, which completes commands, their own commands and their options; file names too. No server is asked.

bash   source <(rekindle completion bash), in ~/.bashrc
zsh    source <(rekindle completion zsh), in ~/.zshrc, after compinit
fish   rekindle completion fish > ~/.config/fish/completions/rekindle.fish

It completes the word rekindle: in a checkout, alias rekindle='npx rekindle'.`,
  example: 'source <(rekindle completion bash)',
  takes: 1,
  run({ args: [shell = ''] }): Promise<Answer> {
    const script = Object.hasOwn(scripts, shell) ? scripts[shell] : undefined;
    if (script === undefined) throw new UsageError('Say which shell: bash, zsh or fish.');
    const lines = script(Object.entries(commands()).map(wordsOf));
    return Promise.resolve({ data: { shell, script: lines.join('\n') }, lines });
  },
});

const wordsOf = ([name, { summary, takes, options = {}, destroys }]: [string, Command]): Words => ({
  name,
  summary,
  actions: name === 'completion' ? Object.keys(scripts) : typeof takes === 'number' ? [] : Object.keys(takes),
  options: [...Object.keys(options), ...(destroys === undefined ? [] : ['yes']), 'json', 'help'].map((option) => `--${option}`),
});

function bash(words: readonly Words[]): string[] {
  return [
    '_rekindle() {',
    '  local words="" current="${COMP_WORDS[COMP_CWORD]}"',
    '  if [ "$COMP_CWORD" -eq 1 ]; then',
    `    words="${words.map(({ name }) => name).join(' ')}"`,
    '  else',
    '    case "${COMP_WORDS[1]}" in',
    ...words.map(({ name, actions, options }) => {
      const first = actions.length === 0 ? '' : `; [ "$COMP_CWORD" -eq 2 ] && words="${actions.join(' ')} $words"`;
      return `      ${name}) words="${options.join(' ')}"${first} ;;`;
    }),
    '    esac',
    '  fi',
    '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
    '}',
    'complete -o default -F _rekindle rekindle',
  ];
}

/** A text in single quotes. */
const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

function zsh(words: readonly Words[]): string[] {
  return [
    '#compdef rekindle',
    '_rekindle() {',
    '  local -a commands',
    `  commands=(${words.map(({ name, summary }) => quoted(`${name}:${summary.replaceAll(':', '\\:')}`)).join(' ')})`,
    '  if (( CURRENT == 2 )); then',
    "    _describe 'command' commands",
    '    return',
    '  fi',
    '  case "$words[2]" in',
    ...words.map(({ name, actions, options }) => {
      const first = actions.length === 0 ? '' : `(( CURRENT == 3 )) && compadd -- ${actions.join(' ')}; `;
      return `    ${name}) ${first}compadd -- ${options.join(' ')} ;;`;
    }),
    '  esac',
    '  _files',
    '}',
    'compdef _rekindle rekindle',
  ];
}

function fish(words: readonly Words[]): string[] {
  return words.flatMap(({ name, summary, actions, options }) => {
    const within = `complete -c rekindle -n '__fish_seen_subcommand_from ${name}'`;
    return [
      `complete -c rekindle -f -n __fish_use_subcommand -a ${name} -d ${quoted(summary)}`,
      ...(actions.length === 0 ? [] : [`${within} -a ${quoted(actions.join(' '))}`]),
      ...options.map((option) => `${within} -l ${option.slice(2)}`),
    ];
  });
}

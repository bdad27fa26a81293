import type { CompletedCommand } from './words.ts';

// Scripts that complete a command line in a shell. Words of the program are its own; texts may hold any character.

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** How a shell's script is put to use, in a line of help. */
export const USES: Readonly<Record<Shell, string>> = {
  bash: 'source <(halomesh completion bash)        # in ~/.bashrc',
  zsh: 'source <(halomesh completion zsh)         # in ~/.zshrc, after compinit',
  fish: 'halomesh completion fish | source         # in ~/.config/fish/config.fish',
};

/** The script of a shell for `program` with such commands. */
export const completionScript = (
  shell: Shell,
  program: string,
  commands: readonly CompletedCommand[],
): string => WRITERS[shell](program, commands);

const WRITERS: Readonly<Record<Shell, (program: string, commands: readonly CompletedCommand[]) => string>> = {
  bash,
  zsh,
  fish,
};

const namesOf = (commands: readonly CompletedCommand[]): string => commands.map(({ name }) => name).join(' ');

function bash(program: string, commands: readonly CompletedCommand[]): string {
  const values = commands.flatMap(({ name, flags }) =>
    flags.flatMap(({ long, value }) => {
      if (value === 'none') return [];
      // Without words of its own bash completes files.
      const offer = value === 'any' ? 'return' : `words='${value.join(' ')}'`;
      return [`    '${name} ${long}') ${offer} ;;`];
    }),
  );
  const flags = commands.map(
    ({ name, flags }) => `      ${name}) words='${flags.map(({ long }) => long).join(' ')}' ;;`,
  );
  return `# Completion of ${program} in bash.
_${program}() {
  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]} command=\${COMP_WORDS[1]} words=
  COMPREPLY=()
  if [ "$COMP_CWORD" = 1 ]; then
    words='${namesOf(commands)} help'
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    return
  fi
  case "$command $before" in
${values.join('\n')}
  esac
  if [ -z "$words" ] && [ "\${current#-}" != "$current" ]; then
    case "$command" in
${flags.join('\n')}
    esac
  fi
  [ -z "$words" ] || COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _${program} ${program}
`;
}

/** A text between single quotes of sh. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

function zsh(program: string, commands: readonly CompletedCommand[]): string {
  // Brackets and colons end texts there.
  const plain = (text: string): string => text.replace(/[[\]:\\]/g, (character) => `\\${character}`);
  const described = commands.map(({ name, text }) => `    ${quoted(`${name}:${plain(text)}`)}`);
  const cases = commands.map(({ name, flags }) => {
    const specs = flags.map(({ long, text, value }) => {
      const after = value === 'none' ? '' : value === 'any' ? ':value:_files' : `:value:(${value.join(' ')})`;
      return `        ${quoted(`*${long}[${plain(text)}]${after}`)}`;
    });
    return `    ${name})\n      _arguments \\\n${specs.join(' \\\n')} \\\n        '*:file:_files'\n      ;;`;
  });
  return `#compdef ${program}
# Completion of ${program} in zsh.
_${program}() {
  local -a commands=(
${described.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  shift words
  (( CURRENT-- ))
  case $words[1] in
${cases.join('\n')}
  esac
}
compdef _${program} ${program}
`;
}

function fish(program: string, commands: readonly CompletedCommand[]): string {
  // Between single quotes of fish the backslash escapes itself and the quote.
  const text = (words: string): string => `'${words.replace(/[\\']/g, (character) => `\\${character}`)}'`;
  const lines = commands.flatMap(({ name, text: about, flags }) => [
    `complete -c ${program} -n __fish_use_subcommand -f -a ${name} -d ${text(about)}`,
    ...flags.map(({ long, text: does, value }) => {
      const after = value === 'none' ? '' : value === 'any' ? ' -r -F' : ` -x -a '${value.join(' ')}'`;
      return `complete -c ${program} -n '__fish_seen_subcommand_from ${name}' -l ${long.slice(2)}${after} -d ${text(does)}`;
    }),
  ]);
  return `# Completion of ${program} in fish.\n${lines.join('\n')}\n`;
}

import type { Command, Option } from 'commander';

/** A flag as shells complete it. */
export interface CompletedFlag {
  /** Such as --size. */
  readonly long: string;
  readonly text: string;
  /** What may follow it: nothing, one of some words, or a file or any other text. */
  readonly value: 'none' | readonly string[] | 'any';
}

/** A command, its first sentence, and its flags. */
export interface CompletedCommand {
  readonly name: string;
  readonly text: string;
  readonly flags: readonly CompletedFlag[];
}

/** What a program offers, in the order of its help. */
export function completedCommands(program: Command): CompletedCommand[] {
  return program.commands.map((command) => ({
    name: command.name(),
    text: command.summary() || command.description(),
    flags: [...command.options.filter(({ hidden }) => !hidden).flatMap(completed), HELP],
  }));
}

const HELP: CompletedFlag = { long: '--help', text: 'show help', value: 'none' };

function completed({ long, description, argChoices, required, optional }: Option): CompletedFlag[] {
  if (!long) return [];
  const value = argChoices ?? (required || optional ? 'any' : 'none');
  return [{ long, text: description, value }];
}

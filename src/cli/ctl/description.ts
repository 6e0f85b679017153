/** How a command looks: its help, its manual, its completion and its parser are made from this. */
import type { OptionSyntax } from '../../base/command-line.js';

/** What Tab offers for a value: names from the running daemon, files, or these words. */
export type Completes = 'client' | 'entry' | 'connection' | 'file' | readonly string[];

export interface Option extends OptionSyntax {
  readonly isRepeatable?: boolean;
  readonly about: string;
  readonly completes?: Completes;
}

export interface Argument {
  /** The placeholder in help. */
  readonly name: string;
  readonly isOptional?: boolean;
  readonly completes?: Completes;
}

export interface Description {
  /** Noun and verb. */
  readonly path: readonly string[];
  /** One line that begins with a verb. */
  readonly about: string;
  /** Further sentences for the help of this command. */
  readonly more?: string;
  readonly arguments?: readonly Argument[];
  readonly options?: readonly Option[];
  /** Arguments as a person types them after the path. */
  readonly examples: readonly string[];
  /** Whether the command changes something, and so takes --dry-run. */
  readonly isWrite?: boolean;
  /** Whether the noun alone runs this command. */
  readonly isDefault?: boolean;
}

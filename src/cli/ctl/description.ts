/** What a command looks like from outside: help, completion and the reading of arguments all come from this. */

/** What Tab offers in a place: names from the running daemon, files, or these words. */
export type Completes = 'client' | 'entry' | 'connection' | 'file' | readonly string[];

export interface Option {
  readonly name: `--${string}`;
  /** One letter. */
  readonly short?: string;
  /** Stands for the value in help; an option without it takes none. */
  readonly value?: string;
  /** The value may be left out, and is written as in `--wait=30s`. */
  readonly isValueOptional?: boolean;
  readonly isRepeatable?: boolean;
  readonly about: string;
  readonly completes?: Completes;
}

export interface Argument {
  /** Stands for it in help. */
  readonly name: string;
  readonly isOptional?: boolean;
  readonly completes?: Completes;
}

export interface Description {
  /** Noun and verb. */
  readonly path: readonly string[];
  /** One line that begins with a verb. */
  readonly about: string;
  /** What else there is to know. */
  readonly more?: string;
  readonly arguments?: readonly Argument[];
  readonly options?: readonly Option[];
  /** Arguments as one would type them after the path. */
  readonly examples: readonly string[];
  /** It takes --dry-run. */
  readonly isWrite?: boolean;
  /** The noun alone means this. */
  readonly isDefault?: boolean;
}

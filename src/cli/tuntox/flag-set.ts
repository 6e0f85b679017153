/** The given flags, asked by name. */
import { resolve } from 'node:path';
import { FormatError } from '../../config/format-error.js';
import type { GivenFlag } from './flags.js';
import type { OptionName, ValueOption } from './options.js';
import { UsageError } from './usage-error.js';

export class FlagSet {
  readonly given: readonly GivenFlag[];

  constructor(given: readonly GivenFlag[]) {
    this.given = given;
  }

  has(flag: OptionName): boolean {
    return this.given.some((one) => one.flag === flag);
  }

  /** Returns the last value, which counts. */
  last(flag: ValueOption): string | undefined {
    return this.given.findLast((one) => one.flag === flag)?.value;
  }

  /** Returns the last value as an absolute path: the working directory is different in the background. */
  path(flag: ValueOption): string | undefined {
    const path = this.last(flag);
    return path === undefined ? undefined : resolve(path);
  }

  /** @throws UsageError that names the flag, when one of them was given */
  refuse(flags: readonly OptionName[], advice: string): void {
    const found = this.given.find(({ flag }) => flags.includes(flag));
    if (found !== undefined) throw new UsageError(`${found.written} ${advice}`);
  }

  /** Returns all values of the flag, parsed. @throws UsageError that names the flag */
  all<Value>(flag: ValueOption, parse: (text: string) => Value): Value[] {
    return this.given.flatMap((one) =>
      one.flag === flag ? [this.parse(one.written, one.value as string, parse)] : [],
    );
  }

  /** @param written the flag or command that the text belongs to @throws UsageError that names it */
  parse<Value>(written: string, text: string, parse: (text: string) => Value): Value {
    try {
      return parse(text);
    } catch (error) {
      if (error instanceof FormatError) throw new UsageError(`${written}: ${error.message}`);
      throw error;
    }
  }
}

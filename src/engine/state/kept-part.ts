/** A part of what decides over who gets in, kept in a file; or why that file cannot be used. */
import type { FileSystem } from './file-system.js';
import { type Kept, KeptJson } from './kept-json.js';

type Opened<Value> =
  | { readonly kind: 'good'; readonly file: KeptJson<Value> }
  | { readonly kind: 'bad'; readonly error: Error; readonly closed: Value };

export class KeptPart<Value> {
  readonly #opened: Opened<Value>;

  private constructor(opened: Opened<Value>) {
    this.#opened = opened;
  }

  /** Never fails; whoever opens it says `fault`. @param directory of the state @param closed what counts when the file cannot be used */
  static async open<Value>(
    { files }: { readonly files: FileSystem },
    directory: string,
    { kept, closed }: { readonly kept: Kept<Value>; readonly closed: Value },
  ): Promise<KeptPart<Value>> {
    try {
      return new KeptPart({ kind: 'good', file: await KeptJson.open(files, directory, kept) });
    } catch (error) {
      return new KeptPart<Value>({ kind: 'bad', error: error as Error, closed });
    }
  }

  get value(): Value {
    return this.#opened.kind === 'good' ? this.#opened.file.value : this.#opened.closed;
  }

  /** Why the file cannot be used, for people. */
  get fault(): string | undefined {
    return this.#opened.kind === 'good' ? undefined : this.#opened.error.message;
  }

  /** @throws KeptStateError when the file cannot be used, StateFileError when it could not be saved, and what `change` throws */
  async change(change: (old: Value) => Value): Promise<void> {
    if (this.#opened.kind === 'bad') throw this.#opened.error;
    await this.#opened.file.change(change);
  }
}

/**
 * Reads TAP 14 as tap writes it: a comment `# Subtest: name` opens a subtest, whose lines are indented by four, and the
 * next point at the outer indentation closes it with its result. A YAML block after a point says more about it.
 */

export interface TapPoint {
  readonly name: string;
  readonly isOk: boolean;
  /** How long it took, ms, where tap says so. */
  readonly duration: number | undefined;
  /** Why it was left out. */
  readonly skip: string | undefined;
  /** Lines of the YAML block, without their indentation. */
  readonly detail: readonly string[];
  readonly children: readonly TapPoint[];
  /** False for a single assertion, which has no subtest of its own. */
  readonly isSubtest: boolean;
}

interface Open {
  readonly name: string;
  readonly indent: number;
  readonly children: TapPoint[];
}

const POINT = /^( *)(not )?ok\b(?: \d+)?(?: - )?(.*)$/;
const DIRECTIVE = /^(.*?)\s*(?<!\\)# (SKIP|TODO|time=)(.*)$/;

export class TapTree {
  /** Called with each point at the outermost level, which is a test file, when its line was read. */
  readonly #onFile: (point: TapPoint) => void;
  readonly #open: Open[] = [];
  /** The last point, kept back for the YAML block that may follow it. */
  #point: { indent: number; point: TapPoint; detail: string[] } | undefined;
  #isInDetail = false;

  constructor(onFile: (point: TapPoint) => void) {
    this.#onFile = onFile;
  }

  line(text: string): void {
    const last = this.#point;
    if (last !== undefined) {
      const margin = ' '.repeat(last.indent + 2);
      if (this.#isInDetail) {
        if (text === `${margin}...`) this.#isInDetail = false;
        else last.detail.push(text.slice(margin.length));
        return;
      }
      if (text === `${margin}---`) {
        this.#isInDetail = true;
        return;
      }
      this.#settle();
    }
    const subtest = /^( *)# Subtest: (.*)$/.exec(text);
    const point = POINT.exec(text);
    if (subtest !== null) this.#open.push({ name: plain(subtest[2]), indent: subtest[1]?.length ?? 0, children: [] });
    else if (point !== null) this.#read(point[1]?.length ?? 0, point[2] === undefined, point[3] ?? '');
  }

  /** No more lines. */
  end(): void {
    this.#settle();
  }

  #read(indent: number, isOk: boolean, rest: string): void {
    // Subtests that were cut off by the end of their process have no closing point of their own: they go into their parent.
    while ((this.#open.at(-1)?.indent ?? -1) > indent) this.#close(false);
    const opened = this.#open.at(-1)?.indent === indent ? this.#open.pop() : undefined;
    const directive = DIRECTIVE.exec(rest);
    const name = plain(directive === null ? rest : directive[1]);
    const isSkip = directive !== null && directive[2] !== 'time=';
    const duration = directive?.[2] === 'time=' ? Number.parseFloat(directive[3] as string) : undefined;
    const skip = isSkip ? plain(directive[3]) || name : undefined;
    const detail: string[] = [];
    const point = {
      name,
      isOk,
      duration,
      skip,
      detail,
      children: opened?.children ?? [],
      isSubtest: opened !== undefined,
    };
    this.#point = { indent, point, detail };
  }

  #settle(): void {
    const last = this.#point;
    this.#point = undefined;
    this.#isInDetail = false;
    if (last === undefined) return;
    const parent = this.#open.at(-1);
    if (parent === undefined || last.indent === 0) this.#onFile(last.point);
    else parent.children.push(last.point);
  }

  #close(isOk: boolean): void {
    const { name, children } = this.#open.pop() as Open;
    this.#open
      .at(-1)
      ?.children.push({ name, isOk, duration: undefined, skip: undefined, detail: [], children, isSubtest: true });
  }
}

function plain(text: string | undefined): string {
  return (text ?? '').replace(/\\(.)/g, '$1').trim();
}

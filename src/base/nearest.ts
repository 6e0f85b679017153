/** Finds the name that was probably meant. Pure. */

/** Typing errors that a name may have, as a part of its length; at least one. */
const TOLERANCE = 0.4;

/** Returns the nearest of the names, ignoring case; undefined if none is near. */
export function nearest(text: string, names: Iterable<string>): string | undefined {
  let best: string | undefined;
  let fewest = Math.max(1, Math.floor(text.length * TOLERANCE)) + 1;
  for (const name of names) {
    // The distance is at least the difference of the lengths.
    if (Math.abs(name.length - text.length) >= fewest) continue;
    const mistakes = distance(text.toLowerCase(), name.toLowerCase());
    if (mistakes >= fewest) continue;
    best = name;
    fewest = mistakes;
  }
  return best;
}

/** Returns the number of letters to insert, delete, change, or swap with the next one (optimal string alignment). */
function distance(left: string, right: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const change = left[row - 1] === right[column - 1] ? 0 : 1;
      let fewest = Math.min(
        (last[column] as number) + 1,
        (current[column - 1] as number) + 1,
        (last[column - 1] as number) + change,
      );
      const isSwap =
        row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      if (isSwap) fewest = Math.min(fewest, (beforeLast[column - 2] as number) + 1);
      current.push(fewest);
    }
    beforeLast = last;
    last = current;
  }
  return last[right.length] as number;
}

/** Returns the names that begin with the text, or else the nearest one. */
export function similarNames(text: string, names: readonly string[]): readonly string[] {
  const longer = names.filter((name) => name.startsWith(text.toLowerCase()));
  const near = nearest(text, names);
  return longer.length > 0 || near === undefined ? longer : [near];
}

/** Returns undefined without names. */
export const didYouMean = (names: readonly string[]): string | undefined =>
  names.length === 0 ? undefined : `did you mean ${names.map((name) => `"${name}"`).join(' or ')}?`;

/** Reads XML of routers, which may be anything: the only file that imports sax. */
import sax from 'sax';

/** Elements inside each other, and elements in all; a description has 10 and some hundreds. */
const DEEPEST = 32;
const MOST_ELEMENTS = 4_000;
/** Mistakes; each makes sax build an error, and a wrong closing tag one for each open element, for minutes. */
const MOST_MISTAKES = 100;

/** Ends the reading of what is no description. */
class TooMuch extends Error {}

interface Open {
  readonly name: string;
  text: string;
  readonly children: Map<string, string>;
}

/**
 * All elements of a name, wherever they stand, each as the texts of its children by their names. Names are without their
 * namespaces; of children of the same name the first counts. Never throws: what cannot be read is not there.
 */
export function elementsOf(xml: string, wanted: string): ReadonlyMap<string, string>[] {
  const found: Map<string, string>[] = [];
  const open: Open[] = [];
  let count = 0;
  let mistakes = 0;
  const parser = sax.parser(true, { trim: true });
  parser.onopentag = ({ name }) => {
    count += 1;
    if (count > MOST_ELEMENTS || open.length >= DEEPEST) throw new TooMuch();
    open.push({ name: name.slice(name.indexOf(':') + 1), text: '', children: new Map() });
  };
  const addText = (text: string): void => {
    const current = open.at(-1);
    if (current !== undefined) current.text += text;
  };
  parser.ontext = addText;
  parser.oncdata = addText;
  parser.onclosetag = () => {
    const element = open.pop();
    if (element === undefined) return;
    const parent = open.at(-1);
    if (parent !== undefined && !parent.children.has(element.name)) parent.children.set(element.name, element.text);
    if (element.name === wanted) found.push(element.children);
  };
  // Routers' XML is often not quite right; it is read as far as it can be.
  parser.onerror = () => {
    mistakes += 1;
    if (mistakes > MOST_MISTAKES) throw new TooMuch();
    parser.resume();
  };
  try {
    parser.write(xml).close();
  } catch (error) {
    if (error instanceof TooMuch) return [];
    // Else something that resuming did not help with.
  }
  return found;
}

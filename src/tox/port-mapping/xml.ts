/** Reads the XML of routers, which may contain anything: the only file that imports sax. */
import sax from 'sax';

/** Nested elements, and elements in all; a description has 10 and some hundreds. */
const MAX_DEPTH = 32;
const MAX_ELEMENTS = 4_000;
/** Syntax errors; sax builds an error object for each, and for a wrong closing tag one for each open element, which may take minutes. */
const MAX_ERRORS = 100;

class LimitExceeded extends Error {}

interface Open {
  readonly name: string;
  text: string;
  readonly children: Map<string, string>;
}

/**
 * Returns all elements with a name, at any depth, each as the texts of its children by their names. Names are without their
 * namespaces; of children with the same name the first counts. Never throws: elements that cannot be read are left out.
 */
export function elementsOf(xml: string, wanted: string): ReadonlyMap<string, string>[] {
  const found: Map<string, string>[] = [];
  const open: Open[] = [];
  let count = 0;
  let errors = 0;
  const parser = sax.parser(true, { trim: true });
  parser.onopentag = ({ name }) => {
    count += 1;
    if (count > MAX_ELEMENTS || open.length >= MAX_DEPTH) throw new LimitExceeded();
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
  // The XML of routers is often invalid; it is read as far as possible.
  parser.onerror = () => {
    errors += 1;
    if (errors > MAX_ERRORS) throw new LimitExceeded();
    parser.resume();
  };
  try {
    parser.write(xml).close();
  } catch (error) {
    if (error instanceof LimitExceeded) return [];
    // Other errors are sax's own, after which it cannot continue.
  }
  return found;
}

/** SVG as text: elements, and a drawing that suits light and dark pages. */

export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** Whose bar or line it is; each has a colour of its own. */
export type Series = 'ours' | 'hyperdht' | 'ssh' | 'wireguard' | 'tcp' | 'other';

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
/** As content of an element, or as an attribute. */
export const escaped = (text: string): string => text.replace(/[&<>"]/g, (character) => ESCAPES[character] as string);

/** Coordinates to a tenth of a pixel. */
const valueText = (value: string | number): string =>
  typeof value === 'number' ? String(Math.round(value * 10) / 10) : escaped(value);

export function element(name: string, attributes: Attributes, ...children: readonly string[]): string {
  const pairs = Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [` ${key}="${valueText(value)}"`],
  );
  const tag = name + pairs.join('');
  return children.length === 0 ? `<${tag}/>` : `<${tag}>${children.join('')}</${name}>`;
}

export const words = (x: number, y: number, text: string, attributes: Attributes = {}): string =>
  element('text', { x, y, ...attributes }, escaped(text));

export const line = (x1: number, y1: number, x2: number, y2: number, kind: 'grid' | 'limit' | 'spread'): string =>
  element('line', { x1, y1, x2, y2, class: kind });

/** On light paper and on dark; in the order of Series. */
const COLOURS: Readonly<Record<Series, readonly [string, string]>> = {
  ours: ['#1d5fd1', '#6aa5ff'],
  hyperdht: ['#c2570c', '#f59e4b'],
  ssh: ['#0f7a4d', '#45c78d'],
  wireguard: ['#7c3aa8', '#c490ea'],
  tcp: ['#667085', '#98a2b3'],
  other: ['#a1243c', '#f0788c'],
};

function style(): string {
  const colours = (theme: 0 | 1): string =>
    Object.entries(COLOURS)
      .map(([series, pair]) => `.${series}{fill:${pair[theme]};stroke:${pair[theme]}}`)
      .join('');
  const theme = (paper: string, ink: string, faint: string): string =>
    `.paper{fill:${paper}}.figure{stroke:${paper}}text{fill:${ink}}.faint{fill:${ink};opacity:.75}.grid{stroke:${faint}}.limit,.spread{stroke:${ink}}`;
  return [
    'text{font:11px system-ui,"DejaVu Sans",sans-serif;stroke:none}.title{font-size:15px;font-weight:600}.panel{font-weight:600}',
    '.end{text-anchor:end}.middle{text-anchor:middle}.limit{stroke-width:1.5;stroke-dasharray:5 3}.spread{stroke-width:1.2}',
    '.figure{paint-order:stroke;stroke-width:3}rect,.name{stroke:none!important}.pale{opacity:.45}polyline{fill:none!important;stroke-width:2}',
    theme('#ffffff', '#1f2328', '#d5d9df'),
    colours(0),
    `@media(prefers-color-scheme:dark){${theme('#12161c', '#e4e8ee', '#38414d')}${colours(1)}}`,
  ].join('');
}

export interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly title: string;
  /** Below the title: how it is to be read. */
  readonly legend: string;
}

/** What is above the first panel, pixels. */
export const HEAD = 52;
export const MARGIN = 16;

/** @returns a whole file */
export function drawing({ width, height, title, legend }: Drawing, ...children: readonly string[]): string {
  const attributes = { xmlns: 'http://www.w3.org/2000/svg', viewBox: `0 0 ${width} ${height}`, role: 'img' };
  const content = [
    element('title', {}, escaped(title)),
    element('desc', {}, escaped(legend)),
    element('style', {}, style()),
    element('rect', { width, height, class: 'paper' }),
    words(MARGIN, 24, title, { class: 'title' }),
    words(MARGIN, 42, legend, { class: 'faint' }),
    ...children,
  ];
  return `${element('svg', { ...attributes, width, height }, ...content.map((one) => `\n${one}`), '\n')}\n`;
}

/** Tables of Markdown, and the line below each: command, date, commit and machine. */
import type { Machine } from '../support/machine.js';
import { isNumeric, type Results, textOf } from '../support/results.js';

const cell = (text: string): string => text.replace(/\|/g, '\\|').replace(/</g, '&lt;').replace(/^ +/, '&emsp;');

export function markdownTable({ columns, rows }: Pick<Results, 'columns' | 'rows'>): string {
  if (rows.length === 0) return '';
  const body = textOf({ rows });
  const used = columns.map((_, column) => body.some((row) => row[column]));
  const row = (cells: readonly string[]): string => `| ${cells.filter((_, column) => used[column]).join(' | ')} |`;
  const titles = columns.map(({ name, unit }) => cell(unit === undefined ? name : `${name}, ${unit}`));
  const alignments = columns.map((_, column) => (isNumeric({ rows }, column) ? '--:' : '---'));
  return [titles, alignments, ...body.map((cells) => cells.map(cell))].map(row).join('\n');
}

export const describeMachine = (machine: Machine): string =>
  `${machine.cores} cores (${machine.processor}), ${Math.round(machine.memory / 1e9)} GB, Linux ${machine.kernel}, ` +
  `Node ${machine.node}; kernel TCP uses ${machine.congestionControl}`;

/** The commit is that of the tree in which it ran; a plus means that files had been changed. */
export function provenance({ command, machine }: Results, commonMachine: string): string {
  const { date, commit, load } = machine;
  const elsewhere = describeMachine(machine) === commonMachine ? '' : `; ${describeMachine(machine)}`;
  return `\`${command}\`, ${date}, commit ${commit}, load ${load.toFixed(1)} before${elsewhere}.`;
}

export const section = (results: Results, commonMachine: string, plot?: { name: string; caption: string }): string =>
  [
    `## ${results.title}`,
    ...(plot === undefined ? [] : [`![${plot.caption}](${plot.name}.svg)`]),
    markdownTable(results),
    (results.notes ?? []).map((note) => `- ${cell(note)}`).join('\n'),
    provenance(results, commonMachine),
  ]
    .filter((part) => part !== '')
    .join('\n\n');

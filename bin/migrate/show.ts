import { relative } from 'node:path';
import { visible } from '../../gateway/contract/index.js';
import type { Spot } from './change.js';
import type { Found } from './plan.js';

const width = 80;

/** Lines of at most 80 columns; a word that is longer stands alone. */
export function wrapped(text: string, first: string, next: string): string {
  const lines: string[] = [];
  let line = first;
  let isEmpty = true;
  for (const word of visible(text).split(' ')) {
    if (!isEmpty && line.length + 1 + word.length > width) {
      lines.push(line);
      line = next;
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line].join('\n');
}

/** A change with its places, for people. */
export function foundText({ change, findings }: Found, isWritten: boolean): string {
  const { id, since, was, now, advice, isNote } = change;
  const count = isNote
    ? 'to be known'
    : `${findings.length} ${findings.length === 1 ? 'place' : 'places'}`;
  return [
    `${id} (${since}): ${count}`,
    wrapped(was, '  was:  ', '        '),
    wrapped(now, '  now:  ', '        '),
    wrapped(advice, '  do:   ', '        '),
    ...findings.flatMap(({ at, text, edit }) => [
      ...(at ? [`  ${spotText(at)}`] : []),
      wrapped(
        `${text}${edit ? ` (${isWritten ? 'written' : 'can be written'})` : ''}`,
        '    ',
        '    ',
      ),
    ]),
  ].join('\n');
}

/** As short as it can be from here. */
export function fileText(file: string): string {
  const short = relative(process.cwd(), file);
  return visible(short.length < file.length ? short : file);
}

function spotText({ file, line, column }: Spot): string {
  return `${fileText(file)}:${line}:${column}`;
}

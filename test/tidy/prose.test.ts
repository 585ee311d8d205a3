/** Patterns of prose that CONTRIBUTING.md (House style) advises against, as far as a program can see them. */
import { Command } from 'commander';
import t from 'tap';
import { commands } from '../../bin/commands/index.js';
import { documents, files, matches, read } from './repository.js';

/** Each with the advice. Only patterns that are nearly always wrong: a test is no editor. */
const patterns: readonly (readonly [RegExp, string])[] = [
  [/\b(?:told|tells?(?! you\b))\b/gi, 'report, publish, push, notify; distinguish'],
  [/\b(?:stands?|stood)\b(?!-| for\b)/gi, 'be active, be listed, be written, be present'],
  [/\bso (?:long|often)\b(?! as\b)/gi, 'until then, for this long, how long'],
  [/, of which\b/gi, 'one of them, some of them'],
  [/\b(?:thread|file|folder|stream|process|place) of (?:its|their|our|your) own\b/gi, 'a separate'],
  [/\boutliv(?:es?|ed|ing)\b/gi, 'survive, outlast'],
  [/\banew\b/gi, 'again, from zero'],
  [/\blets? go of\b/gi, 'release'],
  [/\bnobody (?:knows|can (?:say|tell|know))\b/gi, 'unknown, cannot be determined'],
  [/\basked for(?=[.,;:)]| (?:again|afterwards|with|by|where)\b)/gi, 'request'],
  [/\bslips?\b/gi, 'mistake'],
  [/\btime-lines?\b/gi, 'timeline'],
  [/\bafter (?=ISA|EEMUA|IEC |NAMUR)/g, 'according to'],
  [
    /(?:^|[.:;|] +)What (?:is|was|are|were|does|do|did|has|had|comes?|can|cannot|could|must|needs?|only|a|an|the|it|they|rules?)\b(?![^.|\n]*\?)/gm,
    'name the subject',
  ],
];

/** The text of a document that is prose: without code blocks, code and headings. */
function prose(file: string): string {
  return read(file)
    .replace(/^```[^]*?^```/gm, (block) => block.replace(/[^\n]/g, ''))
    .replace(/`[^`\n]*`/g, 'x')
    .replace(/^#.*$/gm, '');
}

/** What `--help` prints of a command and of those below it. */
function helpOf(command: Command): string[] {
  const options = command.options.map(({ description }) => description);
  return [command.description(), ...options, ...command.commands.flatMap(helpOf)];
}

/** The house style quotes what it advises against. */
const quoted: ReadonlySet<string> = new Set(['CONTRIBUTING.md']);

/** Sentences as they once were, one for each pattern. */
const wrong: readonly string[] = [
  'A mistake is told with its place.',
  'Rules stand in YAML files.',
  'Keep what was sent so long.',
  'Three devices, of which one is silent.',
  'Notes are written by a thread of their own.',
  'A bypass outlives a restart.',
  'Delays begin anew.',
  'A reload that would let go of an output is refused.',
  'Of a cause that was not known nobody knows when it began.',
  'What was on its way is asked for again.',
  'It makes slips in the rules.',
  'A time-line of values.',
  'Alarms after ISA-18.2.',
  'Runs at once. What is wrong is refused with its place.',
];
/** Sentences that only look like them. */
const fine: readonly string[] = [
  'The code tells you what to do.',
  'The pump is at a standstill, on stand-by; N stands for a number.',
  'Both of which load the module, as often as they need.',
  'The server is asked for its active conditions.',
  'Errors show what is wrong.',
  'What does the panel show?',
];

void t.test('the patterns find what they are for, and no more', (t) => {
  t.equal(wrong.length, patterns.length);
  for (const [index, [pattern, advice]] of patterns.entries()) {
    const sentence = wrong[index] ?? '';
    t.equal(matches('', sentence, pattern).length, 1, `${sentence} ${advice}`);
    for (const good of fine) t.same(matches('', good, pattern), [], good);
  }
  t.end();
});

void t.test('documents', (t) => {
  const read = documents.filter((file) => !quoted.has(file));
  t.ok(read.length > 20, 'the documents were found');
  for (const [pattern, advice] of patterns)
    t.same(
      read.flatMap((file) => matches(file, prose(file), pattern)),
      [],
      advice,
    );
  t.end();
});

void t.test('help of commands', (t) => {
  const program = new Command();
  for (const register of commands) register(program);
  const help = helpOf(program);
  t.ok(help.length > 80, 'the texts were found');
  for (const [pattern, advice] of patterns)
    t.same(matches('--help', help.join('\n'), pattern), [], advice);
  t.end();
});

void t.test('comments of the contract', (t) => {
  const contract = files.filter((file) => /^gateway\/contract\/.*(?<!\.test)\.ts$/.test(file));
  for (const [pattern, advice] of patterns)
    t.same(
      contract.flatMap((file) =>
        matches(file, read(file).replace(/^(?! *(?:\/\*\*|\*|\/\/)).*$/gm, ''), pattern),
      ),
      [],
      advice,
    );
  t.end();
});

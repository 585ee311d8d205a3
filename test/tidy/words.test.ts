import t from 'tap';
import { documents, files, matches, read, texts } from './repository.js';

const folders = ['bin', 'docs', 'drivers', 'examples', 'gateway', 'rules', 'test'];
const optional = ['.ci', '.github', 'packaging'];

/** The note of the README, as it must stand wherever it stands. */
const disclaimer =
  /This software is \*\*not\*\* a safety instrumented system\.[^]*?supplementary actions only\./;

function plain(text: string): string {
  return text.replace(/^> ?/gm, '').replace(/[_*]/g, '').replace(/\s+/g, ' ');
}

void t.test('nothing else at the top', (t) => {
  const tops = new Set(
    files.filter((file) => file.includes('/')).map((file) => file.split('/')[0]),
  );
  const expected = new Set([...folders, ...optional.filter((folder) => tops.has(folder))]);
  t.same([...tops].sort(), [...expected].sort());
  t.end();
});

void t.test('the words of the project', (t) => {
  // Put together, so that this file does not find itself.
  const refused: readonly (readonly [RegExp, string])[] = [
    [new RegExp(`\\b(${'mas' + 'ter'}|${'sla' + 've'})s?\\b`, 'gi'), 'say client and server'],
    [
      new RegExp(`(?<!page |--|\\.)\\b${'cach' + '(e|ed|es|ing)'}\\b`, 'gi'),
      'say what is kept, and how long',
    ],
    [
      new RegExp('(/ho' + 'me/|/ro' + 'ot/|/Us' + 'ers/|/wo' + 'rk/|\\b[A-Z]:\\\\\\\\)', 'g'),
      'a path of one machine',
    ],
  ];
  // Programs of others have words of their own: what is said to them is not ours to choose.
  // And people search for words of others: the glossary says where such a word leads.
  const ours = texts.filter(
    (file) => !file.startsWith('test/interop/') && file !== 'docs/glossary.md',
  );
  for (const [pattern, advice] of refused) {
    t.same(
      ours.flatMap((file) => matches(file, read(file), pattern)),
      [],
      advice,
    );
  }
  t.end();
});

void t.test('no claim of functional safety', (t) => {
  const phrases = ['function', 'instrumented', 'rated'].map((word) => `[Ss]afety[ -]${word}`);
  const terms = new RegExp(`\\b(${['S' + 'IL\\d?', ...phrases, '[Ff]ail-?safe'].join('|')})\\b`);
  const claims: string[] = [];
  for (const file of texts) {
    const text = plain(read(file));
    for (const sentence of text.split(/(?<=[.!?:;|])\s/)) {
      if (terms.test(sentence) && !/\b(no|not|never|nothing|claim)\b/i.test(sentence))
        claims.push(`${file}: ${sentence.trim().slice(0, 100)}`);
    }
  }
  t.same(claims, [], 'such a word stands only beside a not');
  t.end();
});

void t.test('the note on functional safety', (t) => {
  const readme = disclaimer.exec(read('README.md'))?.[0];
  t.ok(readme, 'is on the README');
  for (const file of documents) {
    const found = disclaimer.exec(read(file))?.[0];
    if (found) t.equal(plain(found), plain(readme ?? ''), `is the same in ${file}`);
  }
  t.match(read('rules/README.md'), disclaimer, 'is in the rule language');
  t.match(read('bin/main.ts'), /Not a safety instrumented system/, 'is in the help');
  t.match(read('bin/commands/write.ts'), /not a safety instrumented system/, 'is where one writes');
  t.end();
});

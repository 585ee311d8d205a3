import t from 'tap';
import { files, read } from './repository.js';

const folder = 'docs/decisions/';
const names = files
  .filter((file) => file.startsWith(folder) && !file.endsWith('/README.md'))
  .map((file) => file.slice(folder.length))
  .sort();
const texts = new Map(names.map((name) => [name, read(folder + name)]));

/** The number that a file name begins with. */
function numberOf(name: string): string {
  return name.slice(0, 4);
}

interface Head {
  readonly number: string;
  readonly title: string;
  readonly date: string;
  readonly status: string;
}

const form =
  /^# (?<number>\d{4})\. (?<title>.+)\n\n- Date: (?<date>20\d\d-[01]\d-[0-3]\d)\n- Status: (?<status>.+)\n\n## Context\n\n/;

function headOf(text: string): Head | undefined {
  const { number, title, date, status } = form.exec(text)?.groups ?? {};
  return number && title && date && status ? { number, title, date, status } : undefined;
}

void t.test('decisions are numbered from 0001 without holes', (t) => {
  t.ok(names.length > 50, 'the decisions were found');
  t.same(
    names.map(numberOf),
    names.map((_, index) => String(index + 1).padStart(4, '0')),
  );
  const odd = names.filter((name) => !/^\d{4}(-[a-z0-9]+)+\.md$/.test(name));
  t.same(odd, [], 'and named NNNN-short-title.md');
  t.end();
});

void t.test('every decision has its head and sections', (t) => {
  const sections = ['## Context', '## Decision', '## Measured', '## Consequences'];
  let earlier = '';
  for (const [name, text] of texts) {
    const head = headOf(text);
    t.equal(head?.number, numberOf(name), `${name} has the head`);
    t.ok((head?.date ?? '') >= earlier, `${name} is not older than the one before`);
    earlier = head?.date ?? earlier;
    const found: readonly string[] = text.match(/^## .*$/gm) ?? [];
    t.ok(found.includes('## Decision'), `${name} decides`);
    const order = sections.filter((section) => found.includes(section));
    t.same(found, order, `${name} has sections of the form, in order`);
  }
  t.end();
});

void t.test('a status names the decision that came later', (t) => {
  const link = String.raw`\[(\d{4})\]\((\d{4}-[^)]+)\)`;
  const later = new RegExp(`^(?:superseded|accepted; amended) by ${link}$`);
  for (const [name, text] of texts) {
    const status = headOf(text)?.status ?? '';
    if (status === 'accepted') continue;
    const [, number = '', target = ''] = later.exec(status) ?? [];
    t.ok(texts.has(target), `${name}: ${status}`);
    t.equal(number, numberOf(target));
    t.ok(number > numberOf(name), `${name} is replaced by a later one`);
  }
  t.end();
});

void t.test('the index has every decision with its title and status', (t) => {
  const expected = [...texts].map(([name, text]) => {
    const head = headOf(text);
    return [`[${numberOf(name)}](${name})`, head?.title, head?.status];
  });
  const rows = read(`${folder}README.md`)
    .split('\n')
    .filter((line) => /^\| \[\d{4}\]/.test(line))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  t.same(rows, expected);
  t.end();
});

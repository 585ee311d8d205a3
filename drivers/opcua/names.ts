/**
 * Names of tags from the names that nodes have, in whatever script. A name of a tag is ASCII: it stands in rules, topics
 * and commands, is typed on every keyboard, and looks like no other. What has a usual Latin spelling gets it; of the rest
 * each character becomes its number (`温度` = `u6E29u5EA6`), so that different names stay different, on every server and
 * in whatever order they come. The name itself is the description of the tag.
 */

const pairs = (letters: string, spelt: string): [string, string][] => {
  const latin = spelt.split(' ');
  return Array.from(letters, (letter, at): [string, string] => [letter, latin[at] ?? '']);
};

/** Spellings of letters, lower case; accents are taken off before. */
const spellings: ReadonlyMap<string, string> = new Map([
  ...pairs('ßæœøłđðþı', 'ss ae oe o l d d th i'),
  ...pairs(
    'абвгдежзийклмнопрстуфхцчшщыэюя',
    'a b v g d e zh z i j k l m n o p r s t u f kh c ch sh shch y e yu ya',
  ),
  ...pairs('іїєґўј', 'i i e g u j'),
  ...pairs('αβγδεζηθικλμνξοπρσςτυφχψω', 'a b g d e z i th i k l m n x o p r s s t y f ch ps o'),
  ...pairs('°', 'deg'),
  ['ъ', ''],
  ['ь', ''],
]);

/** A name that a tag may have but for its length; equal texts give equal names. */
export function plainName(text: string): string {
  // Accents are taken off; marks of other scripts are letters.
  const bare = text
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]+/g, '')
    .normalize('NFC');
  const spelt = Array.from(bare, spelling).join('');
  return spelt.replace(/[^A-Za-z0-9_-]+/g, '_').replace(/^(?![A-Za-z])/, 'n');
}

function spelling(letter: string): string {
  if (letter <= '\u007f') return letter;
  const lower = letter.toLowerCase();
  const latin = spellings.get(lower);
  if (latin !== undefined)
    return letter === lower ? latin : latin.charAt(0).toUpperCase() + latin.slice(1);
  if (!/\p{L}|\p{N}|\p{M}/u.test(letter)) return '_';
  return `u${(letter.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}

/** Does the name of the tag not show what the node is called? Then it is said beside it. */
export function isRespelt(text: string): boolean {
  return /[^\u0000-\u007f]/.test(text);
}

import anyAscii from 'any-ascii';

/**
 * Names of tags from the names that nodes have, in whatever script. A name of a tag is ASCII: it stands in rules, topics
 * and commands, is typed on every keyboard, and looks like no other. So it is spelt in Latin letters (`温度` = `WenDu`,
 * `давление` = `davlenie`), as far as the library knows how; what it does not know becomes its number. The name itself is
 * the description of the tag. Names that are spelt alike are told apart where they are given, once and for all
 * (`gateway/config/learned-names.ts`).
 */
export function plainName(text: string): string {
  const spelt = Array.from(text.normalize('NFC'), spelling).join('');
  return spelt.replace(/[^A-Za-z0-9_-]+/g, '_').replace(/^(?![A-Za-z])/, 'n');
}

function spelling(letter: string): string {
  if (letter <= '\u007f') return letter;
  // Soft signs and breathings say nothing in a name, and marks alone are silent.
  const latin = anyAscii(letter).replace(/['`]/g, '');
  if (latin !== '' || !/\p{Lo}|\p{N}|\p{Co}/u.test(letter)) return latin;
  return `u${(letter.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}

/** Does the name of the tag not show what the node is called? Then it is said beside it. */
export function isRespelt(text: string): boolean {
  return /[^\u0000-\u007f]/.test(text);
}

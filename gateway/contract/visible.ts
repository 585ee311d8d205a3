/** Whatever moves the cursor, colours, reorders or hides: control characters, line separators, bidi marks, halves of pairs. */
const unseen = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/**
 * A text of a device, a server or a file as it is shown to people: `\x1b`, `\u{202e}` for what a terminal would obey
 * instead of showing. Joiners of letters stay, for scripts need them.
 */
export function visible(text: string): string {
  return text.replace(unseen, (one) => {
    const code = one.codePointAt(0) ?? 0;
    const hex = code.toString(16);
    return code < 0x100 ? `\\x${hex.padStart(2, '0')}` : `\\u{${hex}}`;
  });
}

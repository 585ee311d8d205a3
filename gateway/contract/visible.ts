/** Characters that move the cursor, colour, reorder or hide text: control characters, line separators, bidi marks, halves of pairs. */
const unseen = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/**
 * A text from a device, a server or a file in displayable form: `\x1b`, `\u{202e}` for characters that a terminal would
 * obey instead of showing. Joiners of letters stay, because scripts require them.
 */
export function visible(text: string): string {
  return text.replace(unseen, (one) => {
    const code = one.codePointAt(0) ?? 0;
    const hex = code.toString(16);
    return code < 0x100 ? `\\x${hex.padStart(2, '0')}` : `\\u{${hex}}`;
  });
}

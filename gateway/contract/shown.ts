/** A value as typed, short enough for a message. */
export function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  let text = 'nothing';
  if (typeof value === 'string') text = JSON.stringify(value);
  else if (typeof value === 'number' || typeof value === 'boolean') text = String(value);
  else if (typeof value === 'object' && value !== null) text = 'a map';
  return shorter(text);
}

/** The beginning of a long text. */
export function shorter(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

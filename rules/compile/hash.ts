/** One text for one meaning: keys in order, so that moving a line does not change the hash. */
function canonical(value: unknown, depth = 0): string {
  if (depth > 16) return '…';
  if (Array.isArray(value)) return `[${value.map((one) => canonical(one, depth + 1)).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const parts = Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, one]) => `${JSON.stringify(key)}:${canonical(one, depth + 1)}`);
    return `{${parts.join(',')}}`;
  }
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

/** FNV-1a over 64 bits as 16 hex digits: tells rules apart, is no protection against forgery. */
export function ruleHash(rule: unknown): string {
  const text = canonical(rule);
  let low = 0x84222325;
  let high = 0xcbf29ce4;
  for (let i = 0; i < text.length; i++) {
    low = (low ^ text.charCodeAt(i)) >>> 0;
    // × 0x100000001b3 in two halves: 2^40 + 0x1b3.
    const product = low * 0x1b3;
    high = (Math.imul(high, 0x1b3) + Math.floor(product / 2 ** 32) + (low << 8)) >>> 0;
    low = product >>> 0;
  }
  // Joined, not added: a sum of texts keeps its parts for as long as it lives.
  return [high, low].map((half) => half.toString(16).padStart(8, '0')).join('');
}

/** The rule as people wrote it, near enough: one key a line, lists and maps inside in one line. */
export function ruleText(rule: unknown): string {
  if (typeof rule !== 'object' || rule === null) return flow(rule, 0);
  return Object.entries(rule)
    .map(([key, value]) => `${key}: ${flow(value, 0)}`)
    .join('\n');
}
function flow(value: unknown, depth: number): string {
  if (depth > 16) return '…';
  if (Array.isArray(value)) return `[${value.map((one) => flow(one, depth + 1)).join(', ')}]`;
  if (typeof value === 'object' && value !== null)
    return `{${Object.entries(value)
      .map(([key, one]) => `${key}: ${flow(one, depth + 1)}`)
      .join(', ')}}`;
  return typeof value === 'string' ? value : String(value);
}

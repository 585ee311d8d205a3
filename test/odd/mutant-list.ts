/** Bugs as changes of the compiled text. */
export interface Mutant {
  /** Below `dist`. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

function inFile(
  file: string,
  changes: readonly (readonly [from: string, to: string])[],
): readonly Mutant[] {
  return changes.map(([from, to]) => ({ file: `drivers/modbus/${file}.js`, from, to }));
}

const decoder: readonly Mutant[] = [
  ...inFile('values/decode', [
    [
      '? (second << 8) | first : (first << 8) | second',
      '? (first << 8) | second : (second << 8) | first',
    ],
    ['high * 65_536 + low', 'low * 65_536 + high'],
    ['swapHalves ? at + 4 : at;', 'swapHalves ? at : at + 4;'],
    [
      '(isNumber ? placeOfWord(a, i, size) : i) * 2',
      '(!isNumber ? placeOfWord(a, i, size) : i) * 2',
    ],
    ["a.encoding === 'utf-16be' ? 2 : 1", '1'],
    ['size === 0 && chars[0] !== 0', 'false'],
    ["replace(/ +$/, '')", "replace(/^ +/, '')"],
    ['>> BigInt(shift);\n    const own', ';\n    const own'],
    ["a.type.startsWith('u') ? BigInt.asUintN", "!a.type.startsWith('u') ? BigInt.asUintN"],
    [
      'op === Op.coil ? offset : offset * 2 * address.words',
      'op === Op.coil ? offset : offset * 2',
    ],
    ['(address.swapWords ? 2 : 0)', '(address.swapWords ? 0 : 2)'],
    ['if (isNone)', 'if (!isNone)'],
    ['BigInt.asUintN(width, raw >> BigInt(shift))', 'raw'],
    ['<< 24) >> 16)', '<< 24) >>> 16)'],
    ['>> (bit & 7)) & 1', '>> (7 - (bit & 7))) & 1'],
    ['(value >> this.#details[i]) & 1', 'value & 1'],
    ['op === Op.int16Swapped ? (value << 16) >> 16 : value', 'value'],
    ['op === Op.int64 ? view.getBigInt64(0) : view.getBigUint64(0)', 'view.getBigUint64(0)'],
    ['qualities.some((quality) => !isGood(quality))', 'false'],
  ]),
  ...inFile('values/scales', [
    ['scale < 0 ? raw / 10 ** -scale : raw * 10 ** scale', 'raw * 10 ** -scale'],
  ]),
];

const session: readonly Mutant[] = [
  ...inFile('session/session', [
    ['unit !== exchange.unit && !this.#options.anyUnit', 'false'],
    ['if (call.id === id)', 'if (true)'],
    ['age === 0 || age > Math.min(this.#issued, lateWindow)', 'false'],
    ['fn === (exchange.fn | exceptionFlag) && pduLength === 2', 'false'],
    ['call.id = this.#takeId();', 'call.id = 1;'],
    ["if (outcome === undefined && doubt === 'foreign')", 'if (false)'],
    ['this.#receiver.gaveUp?.(call.id);\n                this.#abandoned', 'this.#abandoned'],
    ['isSame && this.#otherCounts', 'false'],
    ['this.#sent.length < this.#options.inFlight', 'true'],
    ['unsure?.exchange?.unsure?.(unsure.into);', ''],
  ]),
  ...inFile('session/exchange', [
    ["doubt === 'alike'", 'false'],
    ['this.#asked > this.#bytes && refusals.has(code)', 'false'],
    ['code === acknowledged || code === busy', 'false'],
    ['isDoubted === this.#lastDoubted', 'true'],
    ['address.start + address.count > end', 'false'],
  ]),
  ...inFile('line/owed', [
    ['if (isNew(extra) && !mayCome(extra))', 'if (true)'],
    ['owed.splice(0, isException ? owed.length : at + 1);', 'owed.splice(0, 0);'],
    ['if (!this.#dropped)', 'if (true)'],
  ]),
  ...inFile('line/watch', [
    ['mostSaid = 4', 'mostSaid = 0'],
    ['return this.#toConfirm.has(key) && ', 'return false && '],
  ]),
  ...inFile('session/request', [['at + this.answerLength(0)', 'at + length']]),
  ...inFile('frames/frame', [
    ['length === 2 + expected && bytes[at + 1] === expected', 'true'],
    ['bytes[at + i] !== request[i]', 'false'],
  ]),
];

export const mutants: readonly Mutant[] = [...decoder, ...session];

import fc from 'fast-check';
import t from 'tap';
import { parseExpression, type Ast } from '../../../rules/index.js';

function ast(text: string): Ast {
  const parsed = parseExpression(text);
  if (!parsed.ok) throw new TypeError(`${text}: ${parsed.problems[0]?.message ?? ''}`);
  return parsed.ast;
}
/** The structure with brackets everywhere, units and times as they were understood. */
function shape(at: Ast): string {
  switch (at.kind) {
    case 'number':
      return `${at.value}${at.unit === undefined ? '' : `[${at.unit}]`}`;
    case 'text':
      return JSON.stringify(at.value);
    case 'bool':
      return String(at.value);
    case 'name':
      return at.name;
    case 'call':
      return `${at.name}(${at.args.map(shape).join(', ')})`;
    case 'not':
      return `not(${shape(at.of)})`;
    case 'neg':
      return `-(${shape(at.of)})`;
    case 'logic':
      return `(${at.of.map(shape).join(` ${at.op} `)})`;
    case 'arith':
      return `(${shape(at.left)} ${at.op} ${shape(at.right)})`;
    case 'compare': {
      const hyst = at.hyst ? ` ~ ${shape(at.hyst)}` : '';
      return `(${shape(at.left)} ${at.op} ${shape(at.right)}${hyst})`;
    }
    case 'timed':
      return `${at.op}(${shape(at.of)}, ${at.duration})`;
    case 'vote': {
      const degrade = at.degrade ? ` ${at.degrade.need}oo${at.degrade.of}` : '';
      return `${at.need}of[${at.of.map(shape).join(', ')}]${degrade}`;
    }
    case 'if':
      return `if(${shape(at.when)}, ${shape(at.then)}, ${shape(at.otherwise)})`;
  }
}

void t.test('precedence and shapes', (t) => {
  const table: readonly (readonly [string, string])[] = [
    ['a or b and c', '(a or (b and c))'],
    ['a and b and c', '(a and b and c)'],
    ['not a and b', '(not(a) and b)'],
    ['not a < 5 bar', 'not((a < 5[bar]))'],
    ['1 + 2 * 3 - -x / 4', '((1 + (2 * 3)) - (-(x) / 4))'],
    ['a > b + 1 bar hyst 0.2 bar', '((a > (b + 1[bar]) ~ 0.2[bar]))'.slice(1, -1)],
    ['(a or b) for 5s', 'for((a or b), 5000)'],
    ['a > 3 bar for 5s and b', '(for((a > 3[bar]), 5000) and b)'],
    ['a held 1min', 'held(a, 60000)'],
    ['a for 2s held 1h', 'held(for(a, 2000), 3600000)'],
    ["'PT-201A' > 12 bar", '(PT-201A > 12[bar])'],
    ['P101.run_cmd == true', '(P101.run_cmd == true)'],
    ['U400.mode == "AUTO"', '(U400.mode == "AUTO")'],
    ['2 of [a, b, c > 1 %LEL] degrade 1oo2', '2of[a, b, (c > 1[%LEL])] 1oo2'],
    ['if a then 1 else 2 + 3', 'if(a, 1, (2 + 3))'],
    ['limit(0 %, x, 100 %)', 'limit(0[%], x, 100[%])'],
    ['x > 9.81 m/s2 * 2', '(x > (9.81[m/s2] * 2))'],
    ['x > 50 mg/Nm3', '(x > 50[mg/Nm3])'],
    ['x > 5 m/FT101', '(x > (5[m] / FT101))'],
    ['21 % - 6 %', '(21[%] - 6[%])'],
    ['x<5m3/h', '(x < 5[m3/h])'],
    ['x > 1.5e3 Pa', '(x > 1500[Pa])'],
    ['\n a\n and b ', '(a and b)'],
  ];
  for (const [text, wanted] of table) t.equal(shape(ast(text)), wanted, text);
  t.end();
});

void t.test('trap 1: for binds looser than not', (t) => {
  t.equal(shape(ast('not P101.running for 60s')), 'for(not(P101.running), 60000)');
  t.equal(shape(ast('not (P101.running for 60s)')), 'not(for(P101.running, 60000))');
  t.end();
});

void t.test('trap 2: a bare for on the last operand is refused, with both readings', (t) => {
  const table: readonly (readonly [string, string])[] = [
    ['A and B > 3 bar for 5s', 'write (A and B > 3 bar) for 5s, or A and (B > 3 bar for 5s)'],
    ['A or B held 5s', 'write (A or B) held 5s, or A or (B held 5s)'],
    ['A and (B or C) for 1s', 'write (A and (B or C)) for 1s, or A and ((B or C) for 1s)'],
    ['A or B and C for 1s', 'write (B and C) for 1s, or B and (C for 1s)'],
    ['A and B for 5s or C', 'write (A and B) for 5s, or A and (B for 5s)'],
  ];
  for (const [text, hint] of table) {
    const parsed = parseExpression(text);
    if (parsed.ok) t.fail(`${text} must be refused`);
    else t.equal(parsed.problems[0]?.hint, hint, text);
    // What is suggested must be accepted.
    const [first, second] = hint.slice('write '.length).split(', or ');
    for (const one of [first ?? '', second ?? '']) t.ok(parseExpression(one).ok, one);
  }
  for (const text of [
    'A > 3 bar for 5s and B',
    'A and (B for 5s)',
    '(A and B) for 5s',
    'A for 1s or B',
    'max(A and B, 1)',
  ])
    t.ok(parseExpression(text).ok, text);
  t.end();
});

void t.test('every refusal has a place and says what is wrong', (t) => {
  const table: readonly (readonly [string, number, RegExp])[] = [
    ['', 0, /empty/],
    ['FT101 <', 7, /expected a value/],
    ['FT101 < 5 m3/h )', 15, /unexpected `\)`/],
    ['a = b', 2, /unexpected character "="/],
    ['a && b', 2, /unexpected character "&"/],
    ['a < b < c', 6, /do not chain/],
    ['(a', 2, /expected \)/],
    ["'PT-201A > 5", 0, /not closed/],
    ["''", 0, /nothing between/],
    ['a for 5', 6, /expected a time/],
    ['a for 5 bar', 6, /expected a time/],
    ['a AND b', 2, /unexpected `AND`/],
    ['stddev(a) > 1', 0, /stddev takes 2 values, found 1/],
    ['nelson(a, rule 2, rule 3)', 18, /rule is given twice/],
    ['risng(a)', 0, /no function risng/],
    ['abs(1, 2)', 0, /takes 1 values/],
    ['4 of [a, b]', 0, /needs 1 to 2/],
    ['0 of [a]', 0, /needs 1 to 1/],
    ['2 of [a, b, c] degrade 3oo3', 23, /cannot degrade/],
    ['2 of [a, b, c] degrade', 22, /expected a vote/],
    ['if a then b', 11, /expected else/],
    ['P101.x y', 7, /unexpected/],
  ];
  for (const [text, offset, message] of table) {
    const parsed = parseExpression(text);
    if (parsed.ok) t.fail(`${text} must be refused`);
    else {
      t.match(parsed.problems[0]?.message, message, text);
      t.equal(parsed.problems[0]?.offset, offset, `offset of ${text}`);
    }
  }
  const near = parseExpression('risng(a)');
  t.match(near, { problems: [{ hint: 'did you mean rising?' }] });
  t.end();
});

void t.test('bounds: depth, length and number of parts', (t) => {
  const nested = (n: number): string => `${'('.repeat(n)}a${')'.repeat(n)}`;
  t.ok(parseExpression(nested(60)).ok);
  t.match(parseExpression(nested(65)), { problems: [{ message: /deeper than 64/ }] });
  t.match(parseExpression('not '.repeat(900) + 'a'), { problems: [{ message: /deeper/ }] });
  t.match(parseExpression('-'.repeat(4000) + 'a'), { problems: [{ message: /deeper/ }] });
  t.match(parseExpression('abs('.repeat(900)), { problems: [{ message: /deeper/ }] });
  t.match(parseExpression('a+'.repeat(2000) + 'a'), { problems: [{ message: /more than 1000/ }] });
  t.match(parseExpression('a'.repeat(4097)), { problems: [{ message: /longer than 4096/ }] });
  t.end();
});

void t.test('fuzz: any text gives a tree or a problem within the text, never an exception', (t) => {
  const word = fc.constantFrom(
    ...'and or not for held hyst of degrade if then else true false ( ) [ ] , < <= > >= == != + - * /'.split(
      ' ',
    ),
    ...'5 5s 1oo2 2 of 3.5 bar m3/h % %LEL degC FT101 \'PT-1\' abs rising limit stddev "x" P.a 1e9 . \' "'.split(
      ' ',
    ),
  );
  const soup = fc.array(word, { maxLength: 60 }).map((words) => words.join(' '));
  const check = (text: string): void => {
    const parsed = parseExpression(text);
    if (parsed.ok) return;
    for (const { offset, message } of parsed.problems) {
      if (!(offset >= 0 && offset <= text.length)) throw new RangeError(`offset ${offset}`);
      if (message === '') throw new RangeError('no message');
    }
  };
  fc.assert(fc.property(soup, check), { numRuns: 3000 });
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), check), { numRuns: 2000 });
  t.pass('held');
  t.end();
});

void t.test('what parses keeps its meaning when every bracket is written', (t) => {
  const leaf = fc.constantFrom('a', 'b > 3 bar', 'not c', 'd for 5s', 'good(e)');
  const { expr } = fc.letrec<{ expr: string }>((tie) => ({
    expr: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.tuple(tie('expr'), tie('expr')).map(([x, y]) => `(${x}) and (${y})`),
      fc.tuple(tie('expr'), tie('expr')).map(([x, y]) => `(${x}) or (${y})`),
      tie('expr').map((x) => `(${x}) held 2s`),
      tie('expr').map((x) => `not (${x})`),
    ),
  }));
  fc.assert(
    fc.property(expr, (text) => {
      const once = parseExpression(text);
      const twice = parseExpression(`(${text})`);
      return once.ok && twice.ok && shape(once.ast) === shape(twice.ast);
    }),
  );
  t.pass('held');
  t.end();
});

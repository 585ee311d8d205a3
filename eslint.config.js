import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** Who may import what: the table of `gateway/README.md`, as patterns that are refused. */
const nodeModules = {
  group: ['node:*', 'fs', 'net', 'os', 'path'],
  message: 'node: lives in gateway/host, bin and test.',
};
const libraries = [
  'ajv',
  'yaml',
  'csv-parse',
  'pino',
  'mqtt',
  'sqlite3',
  'modbus-serial',
  'commander',
  'aedes',
  'serialport',
];
const libsExcept = (...allowed) => ({
  regex: `^(${libraries.filter((name) => !allowed.includes(name)).join('|')})(/|$)`,
  message: 'This folder may not use that library.',
});
const upward = (...folders) => ({
  group: folders.map((folder) => `**/${folder}/**`),
  message: 'Imports go down the data path, never up (gateway/README.md).',
});
const outer = upward('bin', 'test', 'examples');

const fence = (files, patterns) => ({
  files,
  rules: { 'no-restricted-imports': ['error', { patterns: [outer, ...patterns] }] },
});
const above = (...folders) =>
  upward('drivers', 'rules', ...folders.map((f) => `gateway/${f}`), ...folders);

/**
 * The rooms of `rules/` with what each may import: the way of the text, and what stands beside it. `rules/index.ts` and
 * `rules/language.ts` join them.
 */
const rooms = {
  text: [],
  read: ['text'],
  check: ['text', 'read'],
  program: ['text', 'read', 'check'],
  compile: ['text', 'read', 'check', 'program'],
  engine: ['text', 'read', 'check', 'program'],
  explain: ['check', 'read', 'program'],
  review: ['text', 'check', 'read', 'program'],
  proving: ['text', 'read', 'check', 'program', 'engine', 'language'],
  fitting: ['text', 'check', 'program', 'engine', 'proving'],
};
/** The same within `rules/engine/`: its own files join the three. */
const halls = { blocks: [], functions: ['blocks'], run: ['blocks', 'functions'] };

const roomFence = (files, own, neighbours, allowed, ...more) =>
  fence(files, [
    nodeModules,
    libsExcept(),
    upward('drivers', 'gateway/!(contract)'),
    {
      regex: `^(\\.\\./)+(${neighbours.filter((name) => name !== own && !allowed.includes(name)).join('|')})(/|\\.js$)`,
      message: 'Imports go along the way of the text, never back (rules/README.md).',
    },
    ...more,
  ]);
const inRules = [...Object.keys(rooms), 'language', 'index'];
const roomFences = [
  ...Object.entries(rooms).map(([room, allowed]) =>
    roomFence([`rules/${room}/**/*.ts`], room, inRules, allowed),
  ),
  ...Object.entries(halls).map(([hall, allowed]) =>
    roomFence([`rules/engine/${hall}/**/*.ts`], 'engine', inRules, rooms.engine, {
      regex: `^\\.\\./(?!\\.\\./)(?!(${[hall, ...allowed].join('|')})/)`,
      message: 'blocks, functions, run, and then the files of the engine: never back.',
    }),
  ),
];

const clockNames = [
  'Date',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'clearTimeout',
  'clearInterval',
  'queueMicrotask',
  'performance',
  'process',
];

/**
 * Rooms of a driver, each with those that it may import; what lies at the top of the folder may import all of them.
 * A new room is a new row: what is in none may import none.
 */
const roomsOfDrivers = {
  modbus: {
    frames: [],
    line: ['frames'],
    wire: ['frames', 'line'],
    values: ['frames'],
    plan: ['frames', 'line', 'wire', 'values'],
    session: ['frames', 'line', 'wire', 'values', 'plan'],
  },
  opcua: {
    service: [],
    plan: ['service'],
    values: ['service', 'plan'],
    nodes: ['service', 'plan'],
    security: ['service', 'plan'],
    library: ['service', 'plan', 'security'],
    subscriptions: ['service', 'plan', 'values', 'nodes'],
    survey: ['service', 'plan', 'values', 'nodes'],
  },
};
/** Rooms that may touch the library of their protocol, which the others must not load. */
const roomsOfLibraries = ['opcua/library', 'opcua/security'];

const heavy = {
  regex: '^node-opcua',
  message: 'The library of OPC UA is touched in the rooms library and security only.',
};
const ofDrivers = [nodeModules, libsExcept(), upward('rules', 'gateway/!(contract)')];
const driverFence = (driver, room, allowed) => ({
  ...fence(
    [`drivers/${driver}/${room}/**/*.ts`],
    [
      ...ofDrivers,
      {
        regex: `^\\.\\./(?!(?:${['\\.\\.', ...allowed].join('|')})/)|^\\.\\./\\.\\./(?!lib/|\\.\\./gateway/)`,
        message: 'Imports between the rooms of a driver go in one direction (drivers/README.md).',
      },
      ...(roomsOfLibraries.includes(`${driver}/${room}`) ? [] : [heavy]),
    ],
  ),
  ignores: ['drivers/*/test/**'],
});
const driverFences = Object.entries(roomsOfDrivers).flatMap(([driver, rooms]) => [
  driverFence(driver, '*', []),
  ...Object.entries(rooms).map(([room, below]) => driverFence(driver, room, [room, ...below])),
]);

export default defineConfig(
  { ignores: ['dist/**', 'dist-docs/**', 'node_modules/**', '.tap/**'] },
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      'max-lines': ['error', { max: 500 }],
      'max-lines-per-function': ['error', { max: 70, skipComments: true, skipBlankLines: true }],
      eqeqeq: 'error',
      'no-eval': 'error',
      'no-new-func': 'error',
      'no-console': 'error',
    },
  },
  {
    files: ['gateway/**/*.ts', 'drivers/**/*.ts', 'rules/**/*.ts'],
    ignores: ['gateway/host/**', 'drivers/**/*.test.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...clockNames.map((name) => ({
          name,
          message: 'Take it from the clock, the random source or the host that you are given.',
        })),
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'Use the Random that you are given.' },
        { object: 'AbortSignal', property: 'timeout', message: 'It uses real time.' },
      ],
      'no-restricted-syntax': [
        'error',
        { selector: "NewExpression[callee.name='Error']", message: 'Use GatewayError.' },
      ],
    },
  },
  {
    // Parameters of methods are compared both ways, so what demands more than the contract gives would pass. The host
    // holds drivers without knowing their types of addresses: there, and only there, both ways is what is meant.
    files: ['gateway/**/*.ts', 'drivers/**/*.ts', 'rules/**/*.ts', 'bin/**/*.ts'],
    ignores: ['gateway/contract/driver.ts'],
    rules: { '@typescript-eslint/method-signature-style': ['error', 'property'] },
  },
  fence(
    ['gateway/contract/**/*.ts'],
    [nodeModules, libsExcept(), { group: ['../*'], message: 'The contract imports nothing.' }],
  ),
  fence(
    ['gateway/config/**/*.ts'],
    [
      nodeModules,
      libsExcept('ajv', 'yaml', 'csv-parse'),
      above('scan', 'tags', 'journal', 'north', 'write', 'run', 'host'),
    ],
  ),
  fence(
    ['gateway/scan/**/*.ts'],
    [nodeModules, libsExcept(), above('journal', 'north', 'write', 'run', 'host')],
  ),
  fence(
    ['gateway/tags/**/*.ts'],
    [nodeModules, libsExcept(), above('scan', 'journal', 'north', 'write', 'run', 'host')],
  ),
  fence(
    ['gateway/write/**/*.ts'],
    [nodeModules, libsExcept(), above('scan', 'journal', 'north', 'run', 'host')],
  ),
  fence(
    ['gateway/journal/**/*.ts'],
    [nodeModules, libsExcept('sqlite3'), above('scan', 'write', 'north', 'run', 'host')],
  ),
  fence(
    ['gateway/north/**/*.ts'],
    [nodeModules, libsExcept('mqtt'), above('scan', 'write', 'run', 'host')],
  ),
  fence(['gateway/run/**/*.ts'], [nodeModules, libsExcept('pino'), above('host')]),
  fence(
    ['gateway/host/**/*.ts'],
    [libsExcept('serialport'), above('config', 'scan', 'tags', 'journal', 'north', 'write', 'run')],
  ),
  fence(['rules/*.ts'], [nodeModules, libsExcept(), upward('drivers', 'gateway/!(contract)')]),
  ...roomFences,
  {
    ...fence(['drivers/**/*.ts'], [...ofDrivers, heavy]),
    ignores: ['drivers/**/*.test.ts'],
  },
  ...driverFences,
  {
    files: ['test/**/*.ts', 'drivers/**/*.test.ts', 'bin/**/*.ts', 'examples/**/*.ts'],
    rules: {
      'max-lines-per-function': 'off',
      '@typescript-eslint/no-confusing-void-expression': 'off',
    },
  },
  {
    // A package of its own: it finds the exports of this one as somebody else would, so they must be built.
    files: ['examples/driver-scale/**/*.ts'],
    languageOptions: {
      parserOptions: { projectService: false, project: 'test/examples/driver-scale.tsconfig.json' },
    },
  },
  {
    files: ['**/*.js', '**/*.mjs'],
    extends: [tseslint.configs.disableTypeChecked],
    rules: { '@typescript-eslint/no-unused-vars': 'error' },
  },
);

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
  fence(['rules/**/*.ts'], [nodeModules, libsExcept(), upward('drivers', 'gateway/!(contract)')]),
  {
    ...fence(
      ['drivers/**/*.ts'],
      [nodeModules, libsExcept(), upward('rules', 'gateway/!(contract)')],
    ),
    ignores: ['drivers/**/*.test.ts'],
  },
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

import { isContent } from './lint.js';

isContent('prettier', 'prettier/bin/prettier.cjs', '--check', '--log-level', 'warn');

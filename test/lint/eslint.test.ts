import { isContent } from './lint.js';

isContent('eslint', 'eslint/bin/eslint.js');

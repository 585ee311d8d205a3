import { isContent } from './lint.js';

isContent('lint:format');

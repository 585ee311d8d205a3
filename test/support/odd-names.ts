/** Names that every object of JavaScript has: people may use them for what is theirs. */
export const prototypeNames: readonly string[] = [
  ...Object.getOwnPropertyNames(Object.prototype),
  ...Object.getOwnPropertyNames(Function.prototype).filter(
    (name) => !/arguments|caller/.test(name),
  ),
  'prototype',
  'toJSON',
];

/**
 * Does a name match a pattern such as `P101.*` or `T?`? A star matches any characters, a question mark one. Only the
 * last star takes more when its remainder does not match, so a name of n characters costs n² steps at most,
 * whatever the pattern, which comes from outside.
 */
export function globMatcher(pattern: string): (name: ArrayLike<string>) => boolean {
  const wanted = pattern.replace(/\*+/g, '*');
  return (name) => {
    let at = 0;
    let of = 0;
    let star = -1;
    let taken = 0;
    while (at < name.length) {
      const want = wanted[of];
      if (want === '*') {
        star = of;
        taken = at;
        of += 1;
      } else if (want === '?' || (want !== undefined && want === name[at])) {
        at += 1;
        of += 1;
      } else if (star >= 0) {
        taken += 1;
        at = taken;
        of = star + 1;
      } else return false;
    }
    return of === wanted.length || (of === wanted.length - 1 && wanted[of] === '*');
  };
}

/** Long work in steps, each of them short: whoever runs it may do something else in between. */
export type Steps<T> = Generator<void, T, void>;

/** Does it all at once. */
export function drained<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

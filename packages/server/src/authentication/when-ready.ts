/** Goes on at once with a value that is there, later with one that is promised. */
export function whenReady<A, B>(value: A | Promise<A>, next: (value: A) => B | Promise<B>): B | Promise<B> {
  return value instanceof Promise ? value.then(next) : next(value);
}

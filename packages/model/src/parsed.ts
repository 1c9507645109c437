/** What a parser answers: the checked value, or what is wrong and where (`position` is a 0-based character index). */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: string; readonly position: number };

export function parsed<T>(value: T): Parsed<T> {
  return { ok: true, value };
}

export function unparsed(problem: string, position = 0): Parsed<never> {
  return { ok: false, problem, position };
}

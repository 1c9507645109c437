type Present<T> = { [K in keyof T]?: Exclude<T[K], null | undefined> };

/** Leaves out what a row does not have, so that an absent value is an absent key. */
export function present<T extends object>(values: T): Present<T> {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== null && value !== undefined),
  ) as Present<T>;
}

/** A number that a driver may give as text. */
export function numeric(value: number | string | null): number | null {
  return value === null ? null : Number(value);
}

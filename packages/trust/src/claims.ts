/** One claim: its label in CBOR and its name in JSON. */
export interface Claim {
  readonly label: number;
  readonly name: string;
}

/** Writes claims for an encoding; those without a value are left out. Bytes must be in the form of the encoding already. */
export function writeClaims<N extends string>(
  encoding: 'cose' | 'jws',
  claims: Readonly<Record<N, Claim>>,
  values: Readonly<Partial<Record<N, unknown>>>,
): unknown {
  const entries = (Object.keys(claims) as N[])
    .filter((key) => values[key] !== undefined)
    .map((key) => [claims[key], values[key]] as const);
  return encoding === 'cose'
    ? new Map(entries.map(([{ label }, value]) => [label, value]))
    : Object.fromEntries(entries.map(([{ name }, value]) => [name, value]));
}

/** Reads claims; undefined if one is there that is not known, or the whole is no map. */
export function readClaims<N extends string>(
  encoding: 'cose' | 'jws',
  claims: Readonly<Record<N, Claim>>,
  payload: unknown,
): Readonly<Partial<Record<N, unknown>>> | undefined {
  const entries: readonly (readonly [unknown, unknown])[] | undefined =
    encoding === 'cose'
      ? payload instanceof Map
        ? [...(payload as ReadonlyMap<unknown, unknown>)]
        : undefined
      : typeof payload === 'object' && payload !== null && !Array.isArray(payload)
        ? Object.entries(payload)
        : undefined;
  if (entries === undefined) return undefined;
  const found: Partial<Record<N, unknown>> = {};
  for (const [key, value] of entries) {
    const name = (Object.keys(claims) as N[]).find((each) =>
      encoding === 'cose' ? claims[each].label === key : claims[each].name === key,
    );
    if (name === undefined) return undefined;
    found[name] = value;
  }
  return found;
}

/** A time or number of our documents: a whole number that is not negative. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** A text of our documents, bounded. */
export function isText(value: unknown, longest = 1024): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= longest;
}

import { isMap, isScalar, LineCounter, type Node, parseDocument } from 'yaml';

export type Path = readonly (string | number)[];

/** What was written, and where. */
export interface Source {
  /** Path of the file, if there is one. */
  readonly name: string | undefined;
  /** File and command line together, before any check. */
  readonly value: unknown;
  /** What is wrong with the form of it. */
  readonly problems: readonly string[];
  /** Where a dotted key was set; undefined if its default holds. */
  setIn(key: string): 'file' | 'command line' | undefined;
  /** `FILE:LINE:COLUMN` of a value, or of the nearest thing around it; for a key from the command line, the option. */
  where(path: Path): string;
  /** The same for a key itself. */
  whereKey(path: Path, key: string): string;
  /** What was written at a place. */
  found(path: Path): unknown;
}

/** Reads YAML with positions and lays the overrides of the command line over it. */
export function yamlSource(
  name: string | undefined,
  text: string,
  overrides: Readonly<Record<string, unknown>>,
  optionNames: Readonly<Record<string, string>>,
): Source {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${name ?? 'configuration'}:${line}:${col}`;
  };
  const problems = [...document.errors, ...document.warnings].map((error) => `${at(error.pos[0])}: ${error.message}`);

  let value: unknown = {};
  if (problems.length === 0) {
    try {
      value = document.toJS({ maxAliasCount: 100 }) ?? {};
    } catch (error) {
      problems.push(`${name ?? 'configuration'}: ${(error as Error).message}`);
    }
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    problems.push(`${at(document.contents?.range?.[0] ?? 0)}: expected keys with values, such as "log:"`);
    value = {};
  }
  const fileValue = value;
  const laid = structuredClone(value) as Record<string, unknown>;
  for (const [key, override] of Object.entries(overrides)) {
    if (override !== undefined) lay(laid, key.split('.'), override);
  }

  const overridden = (key: string) => Object.hasOwn(overrides, key) && overrides[key] !== undefined;
  const option = (key: string) => optionNames[key] ?? `command line, ${key}`;
  const where = (path: Path): string => {
    for (let length = path.length; length > 0; length--) {
      const key = path.slice(0, length).join('.');
      if (overridden(key)) return option(key);
      const node = document.getIn(path.slice(0, length), true) as Node | undefined;
      if (node?.range) return at(node.range[0]);
    }
    return name ?? 'configuration';
  };
  return {
    name,
    value: laid,
    problems,
    setIn: (key) =>
      overridden(key) ? 'command line' : pick(fileValue, key.split('.')) === undefined ? undefined : 'file',
    where,
    whereKey(path, key) {
      if (overridden([...path, key].join('.'))) return option([...path, key].join('.'));
      const map = path.length === 0 ? document.contents : document.getIn(path, true);
      const pair = isMap(map) ? map.items.find((item) => isScalar(item.key) && item.key.value === key) : undefined;
      const range = isScalar(pair?.key) ? pair.key.range : undefined;
      return range ? at(range[0]) : where([...path, key]);
    },
    found: (path) => pick(laid, path),
  };
}

function pick(value: unknown, path: Path): unknown {
  let here = value;
  for (const step of path) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, step)) return undefined;
    here = (here as Record<string | number, unknown>)[step];
  }
  return here;
}

function lay(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let here = target;
  for (const step of path.slice(0, -1)) {
    // Own properties only: a key such as `__proto__` must end as an unknown key, not in a prototype.
    const next = Object.hasOwn(here, step) ? here[step] : undefined;
    if (typeof next === 'object' && next !== null) {
      here = next as Record<string, unknown>;
    } else {
      const made: Record<string, unknown> = {};
      Object.defineProperty(here, step, { value: made, enumerable: true, writable: true, configurable: true });
      here = made;
    }
  }
  const last = path.at(-1) ?? '';
  Object.defineProperty(here, last, { value: fromText(value), enumerable: true, writable: true, configurable: true });
}

/** A command line has only texts: what reads as a number or a truth value is one. */
function fromText(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  if (/^-?[0-9]{1,15}$/.test(value)) return Number(value);
  return value === 'true' ? true : value === 'false' ? false : value;
}

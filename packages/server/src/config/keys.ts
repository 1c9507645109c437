import { z } from 'zod';
import type { KeyMeta } from './kinds.ts';
import { CONFIGURATION } from './schema.ts';
import type { Path } from './source.ts';

/** One row of the reference of the configuration. */
export interface KeyRow {
  /** Dotted: `listeners.mqttTls.port`. */
  readonly key: string;
  readonly type: string;
  readonly default: string;
  readonly bounds: string;
  readonly meaning: string;
  /** Bounds on clients only: what happens when it is met. */
  readonly reached?: string;
}

/** A group of keys in the reference. */
export interface SectionRow {
  readonly key: string;
  readonly meaning: string;
}

/** Every key in the order of the schema. */
export function describeConfiguration(): readonly KeyRow[] {
  return walk(CONFIGURATION, []).flatMap((found) => (found.row ? [found.row] : []));
}

/** Every section in the order of the schema. */
export function describeSections(): readonly SectionRow[] {
  return walk(CONFIGURATION, []).flatMap((found) => (found.section ? [found.section] : []));
}

/** Names of the keys of a section. */
export function keysOf(path: Path): readonly string[] {
  return Object.keys(shapeOf(schemaAt(path)) ?? {});
}

/** What is expected at a place; a member of a list answers for its list. */
export function keyAt(path: Path): { readonly expected: string } | undefined {
  for (let length = path.length; length >= 0; length--) {
    const meta = schemaAt(path.slice(0, length))?.meta();
    if (meta) return { expected: String(meta.expected) };
  }
  return undefined;
}

function schemaAt(path: Path): z.ZodType | undefined {
  let here: z.ZodType | undefined = CONFIGURATION;
  for (const step of path) here = here && (typeof step === 'number' ? elementOf(here) : shapeOf(here)?.[step]);
  return here;
}

function innerOf(schema: z.ZodType | undefined): z.ZodType | undefined {
  return schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional
    ? innerOf(schema.unwrap() as z.ZodType)
    : schema;
}

/** What a list consists of, if it consists of sections. */
function elementOf(schema: z.ZodType): z.ZodType | undefined {
  const inner = innerOf(schema);
  const element = inner instanceof z.ZodArray ? (inner.element as z.ZodType) : undefined;
  return element && shapeOf(element) ? element : undefined;
}

function shapeOf(schema: z.ZodType | undefined): Record<string, z.ZodType> | undefined {
  const inner = innerOf(schema);
  return inner instanceof z.ZodObject ? (inner.shape as Record<string, z.ZodType>) : undefined;
}

function walk(schema: z.ZodType, path: readonly string[]): { row?: KeyRow; section?: SectionRow }[] {
  const shape = shapeOf(schema);
  const meta = schema.meta() ?? {};
  const key = path.join('.');
  if (!shape) {
    const { description: meaning, type, bounds, default: standard, reached } = meta as unknown as KeyMeta;
    const row = { key, type, default: standard, bounds, meaning };
    const element = elementOf(schema);
    const members = element ? walk(element, [...path.slice(0, -1), `${path.at(-1)}[]`]) : [];
    return [{ row: reached === undefined ? row : { ...row, reached } }, ...members];
  }
  const below = Object.entries(shape).flatMap(([name, part]) => walk(part, [...path, name]));
  return path.length === 0 ? below : [{ section: { key, meaning: meta.description ?? '' } }, ...below];
}

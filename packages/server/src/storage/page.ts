import type { Page } from '@sallyport/model';

/** Which part of a list is wanted. */
export interface PageRequest {
  /** 1 to 1,000; 100 if left out. */
  readonly limit?: number;
  /** `next` of the page before. */
  readonly after?: string;
}

const DEFAULT_LIMIT = 100;
const MAXIMUM_LIMIT = 1000;

/** The limit that is used for a request: a bound on what one answer can cost. */
export function pageLimit(limit: number | undefined): number {
  if (limit === undefined || !Number.isFinite(limit)) return DEFAULT_LIMIT;
  return Math.min(Math.max(Math.trunc(limit), 1), MAXIMUM_LIMIT);
}

/** Makes a page of rows that were asked for with one more than `limit`. */
export function pageOf<R, T>(
  rows: readonly R[],
  limit: number,
  item: (row: R) => T,
  cursor: (row: R) => string,
): Page<T> {
  const kept = rows.slice(0, limit);
  const last = kept.at(-1);
  const items = kept.map(item);
  return rows.length > limit && last !== undefined ? { items, next: cursor(last) } : { items };
}

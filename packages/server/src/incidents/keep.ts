/** Keeps a value as the newest of at most so many; answers the key of the oldest if it had to go. */
export function keep<V>(map: Map<string, V>, key: string, value: V, most: number): string | undefined {
  map.delete(key);
  map.set(key, value);
  if (map.size <= most) return undefined;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
  return oldest;
}

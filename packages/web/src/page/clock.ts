const FORMAT = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hour12: false,
});

/** The time of day of a moment in milliseconds since the epoch. */
export function clock(at: number): string {
  return at === 0 ? '–' : FORMAT.format(at);
}

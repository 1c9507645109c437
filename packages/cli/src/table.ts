/** One column of a table: its heading and what it shows of a row. */
export interface Column<T> {
  readonly heading: string;
  readonly value: (row: T) => string | number | undefined;
}

/** Text from elsewhere must not steer the terminal that shows it. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, (each) => {
    return `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** A problem as the beginning of a sentence. */
export function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Rows under headings, columns as wide as their widest cell, without trailing blanks. */
export function tableText<T>(rows: readonly T[], columns: readonly Column<T>[]): string {
  const lines = [
    columns.map(({ heading }) => heading.toUpperCase()),
    ...rows.map((row) => columns.map(({ value }) => printable(String(value(row) ?? '-')))),
  ];
  return aligned(lines);
}

/** A document as one line per key; keys without a value are left out. */
export function documentText(document: object): string {
  const lines = Object.entries(document)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => [
      spaced(key),
      typeof value === 'object' && value !== null ? JSON.stringify(value) : printable(String(value)),
    ]);
  return aligned(lines);
}

/** Lines whose columns stand below each other. */
export function aligned(lines: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const line of lines) {
    line.forEach((cell, index) => {
      widths[index] = Math.max(widths[index] ?? 0, cell.length);
    });
  }
  return lines
    .map((line) =>
      line
        .map((cell, index) => cell.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function spaced(key: string): string {
  return key.replace(/([a-z])([A-Z])/g, (_, before: string, after: string) => `${before} ${after.toLowerCase()}`);
}

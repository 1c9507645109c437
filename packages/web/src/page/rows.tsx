interface Row {
  readonly key: number;
  /** The last one tells how it ended. */
  readonly cells: readonly string[];
  readonly good: boolean;
}

/** A table whose last column tells of each row whether it is well. */
export function Rows({
  label,
  heads,
  rows,
  empty,
}: {
  readonly label: string;
  readonly heads: readonly string[];
  readonly rows: readonly Row[];
  readonly empty: string;
}) {
  if (rows.length === 0) return <p className="quiet text-sm">{empty}</p>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section className="max-h-64 overflow-auto" tabIndex={0} aria-label={`Table: ${label}`}>
      <table className="w-full border-collapse text-left text-sm">
        <thead className="quiet top-0 bg-white text-xs max-sm:sr-only sm:sticky dark:bg-stone-900">
          <tr>
            {heads.map((head) => (
              <th key={head} className="py-1 pr-3 font-medium">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ key, cells, good }) => (
            <tr
              key={key}
              className="border-t border-stone-100 align-top max-sm:flex max-sm:flex-wrap max-sm:py-1 dark:border-stone-800"
            >
              {cells.map((cell, index) => (
                <td key={heads[index]} className={`py-1 pr-3 max-sm:py-0.5 ${lookOf(index, cells.length, good)}`}>
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function lookOf(index: number, count: number, good: boolean): string {
  if (index === 0) return 'quiet font-mono text-xs leading-5 tabular-nums';
  if (index < count - 1) return 'wrap-anywhere max-sm:basis-auto';
  return `wrap-anywhere max-sm:basis-full ${good ? 'text-emerald-800 dark:text-emerald-300' : 'text-red-800 dark:text-red-300'}`;
}

import { type Cell, ratioTo } from './result.ts';

const YARDSTICK = 'mosquitto';
/** Above this share of a core, a side is busy and may be the limit. */
const BUSY = 0.9;

function short(value: number): string {
  if (!Number.isFinite(value)) return '-';
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)} M`;
  if (value >= 1e4) return `${(value / 1e3).toFixed(0)} k`;
  if (value >= 1e3) return `${(value / 1e3).toFixed(1)} k`;
  return value.toFixed(0);
}

function percent(share: number | undefined): string {
  return share === undefined ? '' : `${(share * 100).toFixed(0)} %`;
}

function remarks(cell: Cell): string {
  const found = [cell.error === undefined ? undefined : `FAILED: ${cell.error}`, cell.note];
  const { serverCpu = 1, generatorCpu = 0 } = cell;
  if (generatorCpu > BUSY && serverCpu < BUSY) found.push('generator is the limit');
  return found.filter((each) => each !== undefined).join('; ');
}

/** One line for the progress of the bench. */
export function progressLine(cell: Cell): string {
  const main = `${short(cell.rate ?? cell.value)} ${cell.unit}`;
  return `  ${cell.peer.padEnd(10)} ${cell.error === undefined ? main : remarks(cell)}`;
}

/** The whole result as a table for the terminal. */
export function table(measured: readonly Cell[]): string {
  const order = [...new Set(measured.map(({ workload }) => workload))];
  const cells = order.flatMap((workload) => measured.filter((cell) => cell.workload === workload));
  const head = ['workload', 'peer', 'rate', 'per CPU s', 'server', 'generator', 'spread', `x ${YARDSTICK}`, ''];
  const rows = cells.map((cell, index) => {
    const ratio = cell.peer === YARDSTICK ? undefined : ratioTo(cell, cells, YARDSTICK);
    const isRate = cell.rate !== undefined;
    return [
      cells[index - 1]?.workload === cell.workload ? '' : cell.workload,
      cell.peer,
      isRate ? `${short(cell.rate ?? 0)}/s` : `${short(cell.value)} ${cell.unit === 'bytes' ? 'B' : 'µs'}`,
      isRate ? short(cell.value) : '',
      percent(cell.serverCpu),
      percent(cell.generatorCpu),
      cell.runs.length > 1 ? percent(cell.spread) : '',
      ratio === undefined ? '' : ratio.toFixed(2),
      remarks(cell),
    ];
  });
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (column === 8 ? 0 : (row[column]?.length ?? 0)))),
  );
  const line = (row: readonly string[]) =>
    row
      .map((text, column) =>
        column < 2 ? text.padEnd(widths[column] ?? 0) : column === 8 ? text : text.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return [
    line(head),
    ...rows.flatMap((row, index) => (row[0] !== '' && index > 0 ? ['', line(row)] : [line(row)])),
  ].join('\n');
}

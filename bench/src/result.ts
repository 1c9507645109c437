import { median, spread } from './statistics.ts';

/** One measured run. */
export interface Run {
  /** Messages delivered, or connections made, per second. */
  readonly rate: number;
  /** The same per second of server CPU: what is left when the generator was the limit. */
  readonly perCpuSecond: number;
  /** Shares of one core. */
  readonly serverCpu: number;
  readonly generatorCpu: number;
}

/** What one peer did in one workload. */
export interface Cell {
  readonly workload: string;
  readonly peer: string;
  readonly unit: 'messages/s' | 'connections/s' | 'bytes' | 'microseconds';
  /** The figure that is compared: per second of server CPU for rates. */
  readonly value: number;
  /** True where a smaller value is better. */
  readonly lowerIsBetter: boolean;
  /** (highest - lowest) / median of the runs. */
  readonly spread: number;
  readonly rate?: number;
  readonly serverCpu?: number;
  readonly generatorCpu?: number;
  readonly note?: string;
  readonly runs: readonly unknown[];
  readonly error?: string;
}

/** Medians over the runs of a rate. */
export function rateCell(
  workload: string,
  peer: string,
  unit: Cell['unit'],
  runs: readonly Run[],
  note?: string,
): Cell {
  const of = (key: keyof Run) => runs.map((run) => run[key]);
  return {
    workload,
    peer,
    unit,
    value: median(of('perCpuSecond')),
    lowerIsBetter: false,
    spread: spread(of('perCpuSecond')),
    rate: median(of('rate')),
    serverCpu: median(of('serverCpu')),
    generatorCpu: median(of('generatorCpu')),
    ...(note === undefined ? {} : { note }),
    runs,
  };
}

/** Median of a plain figure. */
export function figureCell(
  workload: string,
  peer: string,
  unit: Cell['unit'],
  values: readonly number[],
  note?: string,
): Cell {
  const cell = {
    workload,
    peer,
    unit,
    value: median(values),
    lowerIsBetter: true,
    spread: spread(values),
    runs: values,
  };
  return note === undefined ? cell : { ...cell, note };
}

/** A workload that a peer did not get through. */
export function failedCell(workload: string, peer: string, unit: Cell['unit'], error: string): Cell {
  return { workload, peer, unit, value: Number.NaN, lowerIsBetter: false, spread: 0, runs: [], error };
}

/** How many times better than the yardstick in the same workload; undefined if either is missing. */
export function ratioTo(cell: Cell, cells: readonly Cell[], yardstick: string): number | undefined {
  const other = cells.find((each) => each.workload === cell.workload && each.peer === yardstick);
  if (!other || !(other.value > 0) || !(cell.value > 0)) return undefined;
  return cell.lowerIsBetter ? other.value / cell.value : cell.value / other.value;
}

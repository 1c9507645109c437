/** Samples before anything can be far from them. */
const ENOUGH = 30;
/** How many samples the past consists of, roughly; what is older fades. */
const PAST = 128;
/** Standard deviations. */
const FAR = 6;
/** What is far is learned so much more slowly: a new habit becomes one in the end, an outburst does not. */
const RELUCTANCE = 16;

/** One quantity as it usually is: mean and variance of its logarithm, weighted by age. */
export interface Learned {
  /** As it usually is; 0 before the first sample. */
  readonly usual: number;
  /** True if a sample is far above what is usual, and at least `factor` times as much. Learns it in any case. */
  judge(sample: number, factor: number): boolean;
  /** All that it knows: {@link learned} goes on from there. */
  readonly numbers: LearnedNumbers;
}

export type LearnedNumbers = readonly [samples: number, mean: number, variance: number];

export function learned([samples, mean, variance]: LearnedNumbers = [0, 0, 0]): Learned {
  return {
    get usual() {
      return samples === 0 ? 0 : Math.expm1(mean);
    },
    get numbers() {
      return [samples, mean, variance] as const;
    },
    judge(sample, factor) {
      const value = Math.log1p(sample);
      const beyond = Math.max(FAR * Math.sqrt(variance), Math.log(factor));
      const far = samples >= ENOUGH && value - mean > beyond;
      const weight = 1 / Math.min(++samples, PAST) / (far ? RELUCTANCE : 1);
      const step = value - mean;
      mean += weight * step;
      variance = (1 - weight) * (variance + weight * step * step);
      return far;
    },
  };
}

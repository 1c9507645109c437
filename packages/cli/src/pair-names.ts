/** The two files of a certificate and its key. */
export interface PairNames {
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** Names both by what was given with `--out`, or else by `otherwise`. Who writes the ending too means the same file. */
export function pairNames(out: string | undefined, otherwise: string): PairNames {
  const prefix = out?.replace(/(?<=[^/\\])\.pem$/i, '') ?? otherwise;
  return { certificateFile: `${prefix}.pem`, keyFile: `${prefix}-key.pem` };
}

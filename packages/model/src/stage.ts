/** The stages of the two doors, in the order in which they are passed. */
export const STAGES = [
  'lists',
  'transport',
  'certificate',
  'level',
  'authentication',
  'authorization',
  'limits',
  'protocol',
] as const;
export type Stage = (typeof STAGES)[number];

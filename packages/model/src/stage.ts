/** The stages of the two doors, in the order in which they are passed. */
export const STAGES = [
  'transport',
  'certificate',
  'lists',
  'level',
  'authentication',
  'authorization',
  'limits',
  'protocol',
] as const;
export type Stage = (typeof STAGES)[number];

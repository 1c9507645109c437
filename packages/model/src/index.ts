export * from './explanation.ts';
export * from './failure.ts';
export * from './parsed.ts';
export * from './principal.ts';
export * from './reason.ts';
export * from './refusal.ts';
export * from './security-level.ts';

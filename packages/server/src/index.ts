export { type RenewedRoot, renewRoot } from './authority/renew-root.ts';
export { exportRootKey, removeRootKey, restoreRootKey } from './authority/root-key-custody.ts';
export { loadConfiguration } from './config/load.ts';
export type { Configuration } from './config/schema.ts';
export { explainOffline, findRefusalOffline, type OfflineExplanationOptions } from './explain-offline.ts';
export { type Installation, openInstallation } from './installation.ts';
export { type ImportedCountries, importTorCountries } from './lists/import-tor-countries.ts';
export { type RunningServer, type ServerOptions, startServer } from './server.ts';

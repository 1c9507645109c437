export { type LinkEvents, type LinkOptions, type PublishOptions, RefusedByServer } from '@sallyport/device';
export { type Identity, type IdentityFile, readIdentity, type SigningAlgorithm } from '@sallyport/trust';
export type { ApplicationCredential } from './application-credential.ts';
export {
  type Application,
  type ApplicationOptions,
  type CommandOptions,
  connectApplication,
  type Event,
  type EventSelection,
  type SentCommand,
} from './connect-application.ts';
export { type ConnectionStatus, connectionStatus } from './connection-status.ts';
export type { DeviceName } from './device-name.ts';
export type { ApplicationProtection, DeviceRefusal } from './protection.ts';
export { type ProvisionedIdentity, type ProvisionOptions, provisionIdentity } from './provision-identity.ts';
export { answerPublishedIds, type PublishedId, sendPublishedCommand } from './published-id.ts';
export type { RequestOptions } from './requests.ts';

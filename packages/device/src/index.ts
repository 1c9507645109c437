export { type Identity, readIdentity } from '@sallyport/trust';
export type { AccessToken, FetchAccessToken } from './access-token-proof.ts';
export type { Attached } from './attached.ts';
export type { ProtectAttached } from './attached-protections.ts';
export { type Backoff, type BackoffOptions, jitteredBackoff } from './backoff.ts';
export { CertificateFiles, type CertificateFilesOptions, type ChangingCertificate } from './certificate-files.ts';
export type { ClientSigner } from './client-assertion.ts';
export type { ClientCredentials } from './client-credentials.ts';
export type { CommandRights, CommandVerdict, GuardedCommand } from './command-guard.ts';
export {
  type Command,
  type CommandHandler,
  connectDevice,
  type Device,
  type DeviceOptions,
  type PublishOptions,
} from './connect-device.ts';
export {
  type AttachedCommand,
  connectGateway,
  type Gateway,
  type GatewayOptions,
} from './connect-gateway.ts';
export { type Content, decodeContent, encodeContent, topicLevel } from './content.ts';
export { type DeviceCredential, deviceCredential } from './device-credential.ts';
export {
  type InsecureSampleKey,
  type InsecureSamplePayload,
  isInsecureSamplePayload,
  readInsecureSamplePayload,
  writeInsecureSamplePayload,
} from './insecure-sample-payload.ts';
export { KeyRing, type KeyRingOptions, type KeyRingState, type KnownKey, signingKeyOf } from './key-ring.ts';
export { Link } from './link.ts';
export { namedOptions } from './link-check.ts';
export { linkFailure, RefusedByServer, reasonName } from './link-failure.ts';
export type {
  ClientCertificate,
  LinkCredential,
  LinkEvents,
  LinkListener,
  LinkOptions,
  MessageProperties,
} from './link-options.ts';
export { Outbox, type OutboxOptions } from './outbox.ts';
export type { Pkcs11Key } from './pkcs11-key.ts';
export { type ProtectedDevice, Protection, type ProtectionOptions, type SendEvent } from './protection.ts';
export { type PublishedConfiguration, readPublishedConfiguration } from './published-configuration.ts';
export {
  guardByPublishedId,
  type PublishedCommand,
  type PublishedIdOptions,
  type PublishedVerdict,
} from './published-id.ts';
export { REPLY_EVENT } from './reply.ts';
export { rootCertificate } from './root-certificate.ts';
export type { ScramMechanism } from './scram-proof.ts';
export { type Opened, SealDesk, type SealedMemory, sealedEncoding } from './seal-desk.ts';
export {
  type DeviceStore,
  memoryStore,
  type RollbackAnchor,
  type SealedStoreOptions,
  sealedStore,
} from './sealed-store.ts';
export type { OnUnlockRequired, UnlockAsked } from './unlock.ts';

/*
 * The device as a browser gets it: over WebSocket, trusting whom the browser trusts, without what needs files: outbox, pins, client
 * certificates and sealed stores. A bundler leaves out what a page does not use.
 */
export { type Identity, readIdentity } from '@sallyport/trust';
export type { AccessToken, FetchAccessToken } from './access-token-proof.ts';
export type { Attached } from './attached.ts';
export { type Backoff, type BackoffOptions, jitteredBackoff } from './backoff.ts';
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
  isInsecureSamplePayload,
  readInsecureSamplePayload,
} from './insecure-sample-payload.ts';
export { KeyRing, type KeyRingState, signingKeyOf } from './key-ring.ts';
export { Link } from './link.ts';
export { namedOptions } from './link-check.ts';
export { RefusedByServer } from './link-failure.ts';
export type { LinkCredential, LinkEvents, LinkListener, LinkOptions, MessageProperties } from './link-options.ts';
export type { ProtectionOptions } from './protection.ts';
export { REPLY_EVENT } from './reply.ts';
export { rootCertificate } from './root-certificate.ts';
export type { ScramMechanism } from './scram-proof.ts';
export { SealDesk, type SealedMemory, sealedEncoding } from './seal-desk.ts';
export { type DeviceStore, memoryStore } from './sealed-store.ts';
export type { OnUnlockRequired, UnlockAsked } from './unlock.ts';

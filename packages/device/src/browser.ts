/*
 * The device as a browser gets it: over WebSocket, trusting whom the browser trusts, without what needs files: outbox, pins, client
 * certificates and protection.
 */
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
export { RefusedByServer } from './link-failure.ts';
export type { LinkEvents, LinkListener, LinkOptions } from './link-options.ts';
export type { OnUnlockRequired, UnlockAsked } from './unlock.ts';

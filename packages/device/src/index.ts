export { type Backoff, type BackoffOptions, jitteredBackoff } from './backoff.ts';
export { type Command, connectDevice, type Device, type DeviceOptions, type PublishOptions } from './connect-device.ts';
export { type Attached, type AttachedCommand, connectGateway, type Gateway } from './connect-gateway.ts';
export { type Content, decodeContent, encodeContent, topicLevel } from './content.ts';
export { Link } from './link.ts';
export { linkFailure, RefusedByServer, reasonName } from './link-failure.ts';
export type { LinkCredential, LinkEvents, LinkListener, LinkOptions } from './link-options.ts';

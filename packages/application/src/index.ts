export { type LinkEvents, type LinkOptions, type PublishOptions, RefusedByServer } from '@sallyport/device';
export {
  type Application,
  type ApplicationOptions,
  connectApplication,
  type DeviceName,
  type Event,
  type EventSelection,
} from './connect-application.ts';
export { type ConnectionStatus, connectionStatus } from './connection-status.ts';

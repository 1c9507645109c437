import type { ClientId } from './client-id.ts';

/** Whether the client speaks as a Watson IoT client does: its client id names its organisation and itself. */
export function watsonStyle(clientId: ClientId): boolean {
  return clientId.kind !== 'plain';
}

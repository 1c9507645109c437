import type { Page, SessionDocument } from '@sallyport/model';
import type { SessionView } from './session-view.ts';
import type { BrokerApi } from './whole-server.ts';

/** Administrative action (MQTT 5 section 3.14.2.1). */
const ADMINISTRATIVE_ACTION = 0x98;

/** The live sessions as the API lists and closes them. */
export function sessionDesk(broker: Pick<BrokerApi, 'listSessions' | 'closeSessions'>) {
  return {
    async list(
      organisation: string,
      { limit, after }: { readonly limit: number; readonly after?: string },
    ): Promise<Page<SessionDocument>> {
      const found = await broker.listSessions(organisation, {
        limit: limit + 1,
        ...(after === undefined ? {} : { after }),
      });
      const items = found.slice(0, limit).map(sessionDocument);
      const last = items.at(-1);
      return found.length > limit && last ? { items, next: last.clientId } : { items };
    },
    async close(organisation: string, clientId: string, by: string): Promise<boolean> {
      return (await broker.closeSessions({ organisation, clientId }, ADMINISTRATIVE_ACTION, `closed by ${by}`)) > 0;
    },
  };
}

function sessionDocument(view: SessionView): SessionDocument {
  const { organisation, clientId, principal, connected, assurance, protocolVersion, address, transport, queued } = view;
  return {
    organisation,
    clientId,
    principal,
    connected,
    assurance,
    protocolVersion,
    address,
    transport,
    secure: transport === 'tls' || transport === 'wss',
    connectedAt: new Date(view.connectedAt).toISOString(),
    proofs: view.proofs,
    subscriptions: view.subscriptions.length,
    queued,
  };
}

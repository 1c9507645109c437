import type { Page, SessionDocument } from '@sallyport/model';
import type { BrokerApi, SessionView } from './broker.ts';

/** Administrative action (MQTT 5 section 3.14.2.1). */
const ADMINISTRATIVE_ACTION = 0x98;

/** The live sessions as the API lists and closes them. */
export function sessionDesk(broker: Pick<BrokerApi, 'listSessions' | 'closeSessions'>) {
  return {
    list(
      organisation: string,
      { limit, after }: { readonly limit: number; readonly after?: string },
    ): Page<SessionDocument> {
      const found = broker.listSessions(organisation, { limit: limit + 1, ...(after === undefined ? {} : { after }) });
      const items = found.slice(0, limit).map(sessionDocument);
      const last = items.at(-1);
      return found.length > limit && last ? { items, next: last.clientId } : { items };
    },
    close(organisation: string, clientId: string, by: string): boolean {
      return broker.closeSessions({ organisation, clientId }, ADMINISTRATIVE_ACTION, `closed by ${by}`) > 0;
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

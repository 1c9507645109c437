import type { GroupCommit } from '../storage/group-commit.ts';
import type { Message } from './message.ts';
import type { StoredSession, StoredSubscription, StoreVisitor } from './session-store.ts';

type Row = Record<string, unknown>;

/** Shows what `sessions.db` holds, table by table. */
export async function readStore(log: Pick<GroupCommit, 'read'>, visitor: StoreVisitor): Promise<void> {
  await log.read('select document from sessions', ({ document }) => visitor.session(session(String(document))));
  await log.read('select session, document from subscriptions', ({ session, document }) =>
    visitor.subscription(Number(session), JSON.parse(String(document)) as StoredSubscription),
  );
  await log.read('select session, packet_id from received', (row) =>
    visitor.received(Number(row.session), Number(row.packet_id)),
  );
  await log.read('select * from messages', (row) => visitor.message(Number(row.id), message(row)));
  await log.read('select * from waiting order by position', (row) => {
    visitor.waiting({
      position: Number(row.position),
      session: Number(row.session),
      message: Number(row.message),
      flags: Number(row.flags),
      identifiers: row.identifiers === null ? undefined : bytes(row.identifiers),
      packetId: Number(row.packet_id),
      state: Number(row.state),
    });
  });
  await log.read('select * from retained', (row) =>
    visitor.retained(String(row.organisation), message({ ...row, retain: 1 })),
  );
}

function message(row: Row): Message {
  const topic = String(row.topic);
  return {
    topic,
    topicBytes: Buffer.from(topic),
    body: bytes(row.body),
    payloadStart: Number(row.payload_start),
    qos: Number(row.qos) as Message['qos'],
    retain: Number(row.retain) === 1,
    expiresAt: Number(row.expires_at),
    storeId: 0,
    references: 0,
    volatile: false,
  };
}

/** The libraries give bytes as one class or the other, and another thread gives them as the plainer one. */
function bytes(value: unknown): Buffer {
  const { buffer, byteOffset, byteLength } = value as Uint8Array;
  return Buffer.from(buffer, byteOffset, byteLength);
}

function session(document: string): StoredSession {
  return JSON.parse(document, (key, value: unknown) =>
    (key === 'body' || key === 'topicBytes') && typeof value === 'string' ? Buffer.from(value, 'base64') : value,
  ) as StoredSession;
}

/**
 * `sessions.db`. Whatever changes with each message is a row with a number of its own as key, so that writing is appending. Not keyed by
 * foreign keys: the broker counts references, and an orphan is taken away at the next start.
 */
export const SESSION_MIGRATIONS: readonly string[] = [
  `create table sessions (id integer primary key, document text not null);
   create table subscriptions (session integer not null, written text not null, document text not null, primary key (session, written)) without rowid;
   create table received (session integer not null, packet_id integer not null, primary key (session, packet_id)) without rowid;
   create table messages (id integer primary key, topic text not null, body blob not null, payload_start integer not null, qos integer not null, retain integer not null, expires_at integer not null);
   create table waiting (position integer primary key, session integer not null, message integer not null, flags integer not null, identifiers blob, packet_id integer not null, state integer not null);
   create table retained (organisation text not null, topic text not null, body blob not null, payload_start integer not null, qos integer not null, expires_at integer not null, primary key (organisation, topic)) without rowid`,
];

/** Number of each statement in {@link SESSION_STATEMENTS}. */
export const STATEMENT = {
  putSession: 0,
  removeSession: 1,
  removeSubscriptions: 2,
  removeAllReceived: 3,
  putSubscription: 4,
  removeSubscription: 5,
  putReceived: 6,
  removeReceived: 7,
  putMessage: 8,
  removeMessage: 9,
  putWaiting: 10,
  sendWaiting: 11,
  releaseWaiting: 12,
  removeWaiting: 13,
  putRetained: 14,
  removeRetained: 15,
  moveWaiting: 16,
} as const;

/** The first value of what belongs to a session is its number, that of what is retained its organisation and topic. */
export const SESSION_STATEMENTS: readonly string[] = [
  'insert or replace into sessions values (?, ?)',
  'delete from sessions where id = ?',
  'delete from subscriptions where session = ?',
  'delete from received where session = ?',
  'insert or replace into subscriptions values (?, ?, ?)',
  'delete from subscriptions where session = ? and written = ?',
  'insert or ignore into received values (?, ?)',
  'delete from received where session = ? and packet_id = ?',
  'insert into messages values (?, ?, ?, ?, ?, ?, ?)',
  'delete from messages where id = ?',
  'insert into waiting values (?, ?, ?, ?, ?, ?, ?)',
  'update waiting set packet_id = ?, state = ? where position = ?',
  'update waiting set message = 0, identifiers = null, state = ? where position = ?',
  'delete from waiting where position = ?',
  'insert or replace into retained values (?, ?, ?, ?, ?, ?)',
  'delete from retained where organisation = ? and topic = ?',
  'update waiting set message = ? where position = ?',
];

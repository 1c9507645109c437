import { publishSize, type QoS, writePublish } from '@sallyport/mqtt';
import type { Link } from './link.ts';
import { aliasProperty } from './publish-properties.ts';
import type { TopicAliases } from './topic-aliases.ts';

const NO_NAME = Buffer.alloc(0);

/**
 * Writes a PUBLISH to a client that takes topic aliases. The caller has seen that the packet fits without one; an alias that would
 * make it larger than the client takes is not set.
 */
export function writeAliased(
  link: Link,
  aliases: TopicAliases,
  maximumPacketSize: number,
  topic: string,
  presented: Buffer,
  payload: Buffer,
  start: number,
  end: number,
  qos: QoS,
  retain: boolean,
  dup: boolean,
  packetId: number,
  properties: Buffer,
): void {
  let name = presented;
  let alias = aliases.known(topic);
  if (alias !== 0) name = NO_NAME;
  else {
    const size = publishSize(5, presented.length, end - start, qos, properties.length + 3);
    if (size <= maximumPacketSize) alias = aliases.take(topic, presented.length);
  }
  const all = alias === 0 ? properties : Buffer.concat([aliasProperty(alias), properties]);
  writePublish(link.slab, 5, name, payload, start, end, qos, retain, dup, packetId, all);
}

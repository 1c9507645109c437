import { encodeContent } from './content.ts';
import type { Link } from './link.ts';
import type { MessageProperties } from './link-options.ts';
import type { Protection } from './protection.ts';

/** Event with which devices answer requests, on the topic that the request names. */
export const REPLY_EVENT = 'reply';

/** Answers a request, if the command was one and the handler has answered something. `own` comes before `evt` in the topics of who answers. */
export async function reply(
  link: Link,
  answer: unknown,
  { responseTopic, correlationData }: MessageProperties = {},
  protection?: Pick<Protection, 'sealed'>,
  own = 'iot-2',
): Promise<void> {
  // The topic comes from outside: a device answers on topics for answers, and on no other.
  if (answer === undefined || correlationData === undefined || !responseTopic?.startsWith(`iot-2/evt/${REPLY_EVENT}/`))
    return;
  const encoded = encodeContent(answer);
  const sealed = (await protection?.sealed(REPLY_EVENT, encoded)) ?? [encoded];
  for (const { format, bytes } of sealed) {
    const topic = `${own}/evt/${REPLY_EVENT}/fmt/${format}`;
    await link.publish(topic, bytes, { qos: 1, properties: { correlationData } });
  }
}

import type { DevicePrincipal } from './principal.ts';

const SCOPED = ['iot-2/', 'iotdevice-1/', 'iotdm-1/'];

/** The first level of a topic with its slash, if the topic is one that belongs to a device. Bytes are compared. */
function scopedHead(topic: string): string | undefined {
  return SCOPED.find((head) => topic.startsWith(head));
}

/**
 * The full name, on the organisation's router, of a topic that a device or gateway names.
 *
 * What a device names under `iot-2`, `iotdevice-1` and `iotdm-1` always becomes its own: `iot-2/evt/E/fmt/F` is
 * `iot-2/type/T/id/I/evt/E/fmt/F`, so it cannot even name another device. A gateway may also name a device in full; policy
 * decides whether that is its own. Nothing is decoded, folded or normalised.
 */
export function resolveTopic(principal: DevicePrincipal, topic: string): string {
  const head = scopedHead(topic);
  if (head === undefined) return topic;
  const rest = topic.slice(head.length);
  if (principal.kind === 'gateway' && namesDevice(rest)) return topic;
  return `${head}${ownScope(principal)}${rest}`;
}

/** As {@link resolveTopic}, for a topic filter. A gateway's `iotdm-1/#` means all devices that it speaks for (`iotdm-1/type/+/id/+/#`). */
export function resolveFilter(principal: DevicePrincipal, filter: string): string {
  if (principal.kind === 'gateway' && filter === 'iotdm-1/#') return 'iotdm-1/type/+/id/+/#';
  return resolveTopic(principal, filter);
}

/**
 * The name under which a device or gateway knows a full topic: a device gets the short form of its own topics; a gateway,
 * which uses full topics for itself too, gets only `iot-2/mon` in the short form. Every other topic stays as it is.
 */
export function presentTopic(principal: DevicePrincipal, full: string): string {
  const head = scopedHead(full);
  if (head === undefined) return full;
  const own = ownScope(principal);
  if (!full.startsWith(own, head.length)) return full;
  const short = head + full.slice(head.length + own.length);
  return principal.kind === 'device' || short === 'iot-2/mon' ? short : full;
}

function ownScope(principal: DevicePrincipal): string {
  return `type/${principal.type}/id/${principal.id}/`;
}

/** `type/T/id/I/…` with anything, also wildcards, in place of T and I. */
function namesDevice(rest: string): boolean {
  if (!rest.startsWith('type/')) return false;
  const slash = rest.indexOf('/', 5);
  return slash >= 0 && rest.startsWith('id/', slash + 1);
}

import { type Parsed, parsed, unparsed } from './parsed.ts';

declare const checked: unique symbol;
/** A topic name that was checked by {@link parseTopicName}: no wildcard, not empty, within the limit of the protocol. */
export type TopicName = string & { readonly [checked]: 'name' };
/** A topic filter that was checked by {@link parseTopicFilter}: wildcards only as whole levels, `#` only as the last. */
export type TopicFilter = string & { readonly [checked]: 'filter' };

/** What SUBSCRIBE asks for: a filter, and the name of the group that shares its messages, if any. */
export interface Subscription {
  readonly share?: string;
  readonly filter: TopicFilter;
}

/** Bytes of UTF-8 that the two-byte length prefix of MQTT can tell. */
const MOST_BYTES = 65_535;
const PLUS = 0x2b;
const HASH = 0x23;
const SLASH = 0x2f;
const DOLLAR = 0x24;
const SHARE_PREFIX = '$share/';

/** Reads a topic name as PUBLISH carries it [MQTT-3.3.2-2], [MQTT-4.7.3-1], [MQTT-4.7.3-2], [MQTT-4.7.3-3]. */
export function parseTopicName(text: string): Parsed<TopicName> {
  const problem = stringProblem(text, 'a topic name');
  if (problem) return problem;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === PLUS || code === HASH) return unparsed(`a topic name may not contain "${text.charAt(at)}"`, at);
  }
  return parsed(text as TopicName);
}

/** Reads a topic filter as SUBSCRIBE carries it [MQTT-4.7.1-1], [MQTT-4.7.1-2]. `$share/` has no meaning here. */
export function parseTopicFilter(text: string): Parsed<TopicFilter> {
  const problem = stringProblem(text, 'a topic filter');
  if (problem) return problem;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code !== PLUS && code !== HASH) continue;
    const alone =
      (at === 0 || text.charCodeAt(at - 1) === SLASH) && (at + 1 === text.length || text.charCodeAt(at + 1) === SLASH);
    if (!alone) return unparsed(`"${text.charAt(at)}" must stand alone between slashes`, at);
    if (code === HASH && at + 1 !== text.length) return unparsed('"#" must be the last level', at);
  }
  return parsed(text as TopicFilter);
}

/** Reads a subscription: a filter, or `$share/NAME/FILTER` [MQTT-4.8.2-1], [MQTT-4.8.2-2]. Bytes are compared: `$Share/` is a filter. */
export function parseSubscription(text: string): Parsed<Subscription> {
  if (!text.startsWith(SHARE_PREFIX)) {
    if (text === '$share') return unparsed('a shared subscription has the form $share/NAME/FILTER');
    const filter = parseTopicFilter(text);
    return filter.ok ? parsed({ filter: filter.value }) : filter;
  }
  const problem = stringProblem(text, 'a topic filter');
  if (problem) return problem;
  const end = text.indexOf('/', SHARE_PREFIX.length);
  if (end < 0) return unparsed('a shared subscription has the form $share/NAME/FILTER', text.length);
  const share = text.slice(SHARE_PREFIX.length, end);
  if (share === '') return unparsed('the name of a shared subscription may not be empty', SHARE_PREFIX.length);
  const wildcard = share.search(/[+#]/);
  if (wildcard >= 0) {
    return unparsed('the name of a shared subscription may not contain "+" or "#"', SHARE_PREFIX.length + wildcard);
  }
  const filter = parseTopicFilter(text.slice(end + 1));
  return filter.ok ? parsed({ share, filter: filter.value }) : unparsed(filter.problem, end + 1 + filter.position);
}

/** Whether a topic name is selected by a filter, both checked. A wildcard in the first level does not match `$…` [MQTT-4.7.2-1]. */
export function topicMatches(filter: string, name: string): boolean {
  if (name.charCodeAt(0) === DOLLAR && startsWithWildcard(filter)) return false;
  const plus = filter.indexOf('+');
  const wildcard = plus >= 0 ? plus : filter.endsWith('#') ? filter.length - 1 : -1;
  if (wildcard < 0) return filter === name;
  // Engines compare plain text far faster than a loop over its characters does; the slash before "#" may be missing.
  const plain = wildcard > 1 ? wildcard - 1 : 0;
  if (plain > 0 && !name.startsWith(filter.slice(0, plain))) return false;
  const filterEnd = filter.length;
  const nameEnd = name.length;
  let f = plain;
  let n = plain;
  while (f < filterEnd && n < nameEnd) {
    const code = filter.charCodeAt(f);
    if (code === HASH) return true;
    if (code === PLUS) {
      while (n < nameEnd && name.charCodeAt(n) !== SLASH) n++;
    } else {
      if (code !== name.charCodeAt(n)) return false;
      n++;
    }
    f++;
  }
  if (n < nameEnd) return false;
  if (f === filterEnd) return true;
  const rest = filter.slice(f);
  // "a/#" selects "a" itself [MQTT-4.7.1-2], and "a/+" selects "a/", whose last level is empty.
  if (rest === '/#') return true;
  return filter.charCodeAt(f - 1) === SLASH && (rest === '+' || rest === '#' || rest === '+/#');
}

/** Whether every topic name that `inner` can select is selected by `outer` too; both are checked filters. */
export function filterCovers(outer: string, inner: string): boolean {
  if (inner.charCodeAt(0) === DOLLAR && startsWithWildcard(outer)) return false;
  let o = 0;
  let i = 0;
  for (;;) {
    const code = outer.charCodeAt(o);
    if (code === HASH) return true;
    if (inner.charCodeAt(i) === HASH) {
      // The empty text is no topic, so "#" selects what "+/#" selects, and "/#" what "/+/#" selects.
      return (i === 0 || inner === '/#') && outer.slice(o) === '+/#';
    }
    const outerStop = levelEnd(outer, o);
    const innerStop = levelEnd(inner, i);
    if (code !== PLUS && (outerStop - o !== innerStop - i || !inner.startsWith(outer.slice(o, outerStop), i)))
      return false;
    if (innerStop === inner.length) return outerStop === outer.length || outer.slice(outerStop) === '/#';
    if (outerStop === outer.length) return false;
    o = outerStop + 1;
    i = innerStop + 1;
  }
}

function startsWithWildcard(filter: string): boolean {
  const code = filter.charCodeAt(0);
  return code === PLUS || code === HASH;
}

function levelEnd(filter: string, from: number): number {
  const slash = filter.indexOf('/', from);
  return slash < 0 ? filter.length : slash;
}

function stringProblem(text: string, what: string): Parsed<never> | undefined {
  if (text === '') return unparsed(`${what} may not be empty`);
  let bytes = text.length;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x80) {
      if (code === 0) return unparsed(`${what} may not contain U+0000`, at);
      continue;
    }
    bytes += code < 0x800 ? 1 : 2;
    if (code < 0xd800 || code > 0xdfff) continue;
    const next = text.charCodeAt(at + 1);
    if (code > 0xdbff || !(next >= 0xdc00 && next <= 0xdfff))
      return unparsed(`${what} must be well-formed Unicode`, at);
    at++;
  }
  return bytes > MOST_BYTES ? unparsed(`${what} has at most ${MOST_BYTES} bytes, this one has ${bytes}`) : undefined;
}

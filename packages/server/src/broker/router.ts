import { presentTopic } from '@sallyport/model';
import type { Abroad } from './abroad.ts';
import { identifierProperty } from './publish-properties.ts';
import type { GroupTargets, Route, Subscription, Target } from './route.ts';
import { SubscriptionTree } from './subscription-tree.ts';

const MOST_ROUTES = 20_000;
const LONGEST_CACHED_TOPIC = 512;

/** Who gets the messages of one organisation. Routes are worked out once and again only after subscriptions have changed. */
export class Router {
  /** Changes with every subscription. */
  version = 1;
  /** Subscriptions in force. */
  size = 0;
  /** What other workers have; undefined where there are none. */
  abroad: Abroad | undefined;
  readonly #tree = new SubscriptionTree();
  readonly #routes = new Map<string, Route>();

  add(subscription: Subscription): void {
    this.#tree.add(subscription);
    this.size++;
    this.version++;
    this.abroad?.added(subscription);
  }

  remove(subscription: Subscription): void {
    this.#tree.remove(subscription);
    this.size--;
    this.version++;
    this.abroad?.removed(subscription);
  }

  /** The route of a topic, up to date. */
  route(topic: string): Route {
    let route = this.#routes.get(topic);
    if (route === undefined) {
      route = emptyRoute(topic, Buffer.from(topic));
      if (topic.length <= LONGEST_CACHED_TOPIC) this.#keep(route);
    }
    if (route.version !== this.version) this.refresh(route);
    return route;
  }

  /** As {@link route}, but a new one is not kept: for a topic on which little is said. */
  passingRoute(topic: string, topicBytes: Buffer): Route {
    const route = this.#routes.get(topic) ?? emptyRoute(topic, topicBytes);
    if (route.version !== this.version) this.refresh(route);
    return route;
  }

  /** Brings a route up to date. What was decided about receivers that stay is kept. */
  refresh(route: Route): void {
    const known = new Map<unknown, Target>();
    for (const target of route.targets) known.set(target.receiver, target);
    const targets = new Map<unknown, Target>();
    const groups: GroupTargets[] = [];

    this.#tree.match(route.topic, {
      subscription(subscription) {
        const earlier = targets.get(subscription.receiver);
        if (earlier) join(earlier, subscription);
        else targets.set(subscription.receiver, newTarget(route, subscription, known.get(subscription.receiver)));
      },
      group(group) {
        groups.push({ group, targets: [...group.members].map((member) => newTarget(route, member, undefined)) });
      },
    });
    route.targets = [...targets.values()];
    route.groups = groups;
    route.elsewhere = this.abroad?.match(route.topic, groups);
    route.version = this.version;
  }

  #keep(route: Route): void {
    if (this.#routes.size >= MOST_ROUTES) {
      const [oldest] = this.#routes.keys();
      if (oldest !== undefined) this.#routes.delete(oldest);
    }
    this.#routes.set(route.topic, route);
  }
}

function emptyRoute(topic: string, topicBytes: Buffer): Route {
  return { topic, topicBytes, version: 0, targets: [], groups: [], elsewhere: undefined, number: 0 };
}

function newTarget(route: Route, subscription: Subscription, known: Target | undefined): Target {
  const { receiver, qos, retainAsPublished } = subscription;
  const identifiers = identifierProperty(subscription.identifier);
  return {
    receiver,
    qos,
    retainAsPublished,
    identifiers,
    echoQos: subscription.noLocal ? -1 : qos,
    echoIdentifiers: subscription.noLocal ? undefined : identifiers,
    presented: known?.presented ?? presentedTo(receiver.scope, route),
    allowed: known?.allowed ?? false,
    version: known?.version ?? Number.NaN,
    epoch: known?.epoch ?? -1,
  };
}

function presentedTo(scope: Subscription['receiver']['scope'], route: Route): Buffer {
  if (scope === undefined) return route.topicBytes;
  const short = presentTopic(scope, route.topic);
  return short === route.topic ? route.topicBytes : Buffer.from(short);
}

/** Another subscription of the same receiver matches too: the highest QoS, all identifiers, one delivery. */
function join(target: Target, subscription: Subscription): void {
  const identifiers = identifierProperty(subscription.identifier);
  if (subscription.qos > target.qos) target.qos = subscription.qos;
  target.retainAsPublished ||= subscription.retainAsPublished;
  target.identifiers = both(target.identifiers, identifiers);
  if (subscription.noLocal) return;
  if (subscription.qos > target.echoQos) target.echoQos = subscription.qos;
  target.echoIdentifiers = both(target.echoIdentifiers, identifiers);
}

function both(first: Buffer | undefined, second: Buffer | undefined): Buffer | undefined {
  if (first === undefined) return second;
  return second === undefined ? first : Buffer.concat([first, second]);
}

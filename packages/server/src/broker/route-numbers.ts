import type { Route } from './route.ts';

/** Numbers are below this; a newcomer takes the oldest. */
export const MOST_NUMBERS = 16_384;
/** Stands for no route: what comes with it is not remembered. */
export const UNNUMBERED = 0;
/** Longer topics are told each time: a stranger must not fill the memory of others with names. */
const LONGEST_TOPIC = 512;

/** Puts something at its number, in an array without gaps: those are looked up like maps. */
export function putAt<T>(array: (T | undefined)[], number: number, value: T): void {
  while (array.length < number) array.push(undefined);
  array[number] = value;
}

/** Numbers under which the other workers know the routes to which messages are forwarded, so that their names travel once. */
export class RouteNumbers {
  readonly #routes: (Route | undefined)[] = [undefined];
  #next = 1;

  /** The number of a route. */
  of(route: Route): number {
    const { number } = route;
    return number !== UNNUMBERED && this.#routes[number] === route ? number : this.#give(route);
  }

  #give(route: Route): number {
    if (route.topicBytes.length > LONGEST_TOPIC) return UNNUMBERED;
    const number = this.#next;
    this.#next = number + 1 < MOST_NUMBERS ? number + 1 : 1;
    this.#routes[number] = route;
    route.number = number;
    return number;
  }
}

/** What a simulated device measures. */
export interface Reading {
  /** Metres per second squared. */
  readonly acceleration: number;
  readonly motion: 'still' | 'moving';
  /** Degrees. */
  readonly position: { readonly latitude: number; readonly longitude: number };
}

/** Readings of a thing that stands still half of the time and wanders off else. `random`: uniform in [0, 1). */
export function* readings(random: () => number): Generator<Reading, never> {
  let position = { latitude: 48.137, longitude: 11.575 };
  for (;;) {
    const moving = random() < 0.5;
    if (moving) position = wander(position, random);
    yield {
      acceleration: Number((moving ? random() * 4 : random() * 0.1).toFixed(2)),
      motion: moving ? 'moving' : 'still',
      position,
    };
  }
}

function wander(position: Reading['position'], random: () => number): Reading['position'] {
  const step = () => (random() - 0.5) / 1_000;
  return {
    latitude: Number((position.latitude + step()).toFixed(5)),
    longitude: Number((position.longitude + step()).toFixed(5)),
  };
}

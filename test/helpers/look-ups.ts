/** How many times anything was looked up in a Set while something ran, which must not wait. */
export function countLookUps(run: () => void): number {
  const has = Reflect.get(Set.prototype, "has") as (this: Set<unknown>, value: unknown) => boolean;
  let count = 0;
  Set.prototype.has = function (this: Set<unknown>, value: unknown) {
    count++;
    return Reflect.apply(has, this, [value]);
  };
  try {
    run();
  } finally {
    Set.prototype.has = has;
  }
  return count;
}

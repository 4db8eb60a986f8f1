// Which element of a virtual list shows which row. Making elements costs ten times what changing their text does, so an element whose row
// has left shows one that comes.

/** Names of the elements that show the rows from `first` on. */
export interface Slots {
  first: number;
  names: readonly number[];
}

/**
 * The elements for the rows from `first` to before `last`. A row that stays keeps its element. `kept` is a row whose element goes with
 * it, because it has the focus.
 */
export function reuse(before: Slots, first: number, last: number, kept: number | null = null): Slots {
  const row = (i: number) => before.first + i;
  const free = before.names.filter((_, i) => (row(i) < first || row(i) >= last) && row(i) !== kept);
  let unused = before.names.reduce((most, name) => Math.max(most, name), -1);
  const names: number[] = [];
  for (let at = first; at < last; at += 1) names.push(before.names[at - before.first] ?? free.shift() ?? (unused += 1));
  return { first, names };
}

/** Chunks of four, the last one shorter. */
export const chunks = (text: string): string[] => text.match(/.{1,4}/gu) ?? [];

/** How much of an address or id is shown. */
export type Form = 'full' | 'short' | 'id';

/** The chunks before and after the ellipsis; `after` is empty when everything is shown. */
export function shorten(text: string, form: Form): { before: string[]; after: string[] } {
  const all = chunks(text);
  const [head, tail] = form === 'short' ? [3, 2] : [2, 1];
  if (form === 'full' || all.length <= head + tail) return { before: all, after: [] };
  // The tail is counted from the end, so that its chunks are whole.
  const after = form === 'short' ? [text.slice(-8, -4), text.slice(-4)] : [text.slice(-4)];
  return { before: all.slice(0, head), after };
}

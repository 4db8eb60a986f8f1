// Geometry of the causeway: posts are steps, stones are blocks, the bar is the point of no return. Bitcoin is left, the sidechain right.
import type { OperationView, StepName, StepState } from '$/ipc';

export interface Post {
  step: StepName;
  state: StepState;
  x: number;
}

export interface Stone {
  x: number;
  width: number;
  state: 'laid' | 'next' | 'ahead';
}

export interface Causeway {
  posts: Post[];
  stones: Stone[];
  /** Middle of the stones, where their words stand. */
  stonesAt: number | null;
  /** Blocks that one stone stands for. */
  each: number;
  roads: { from: number; to: number; laid: boolean }[];
  bar: { x: number; passed: boolean } | null;
}

/** Steps that happen on the shore before anything crosses are not drawn. */
const ASHORE: readonly StepName[] = ['signed', 'broadcast'];
const STONES = 4;
/** At most so many stones. */
const MOST = 12;

export function causeway(operation: OperationView, depth: number, width: number, shore: number): Causeway {
  const back = operation.kind === 'peg-out';
  const seen = operation.steps.filter((s) => !ASHORE.includes(s.step));
  const stones = seen.find((s) => s.step === 'depth');
  const posts = seen.filter((s) => s.step !== 'depth');
  // Between two posts lies one length of road, or the stones.
  const gaps: number[] = [];
  posts.slice(1).forEach((post) => {
    const here = seen.indexOf(post);
    gaps.push(seen[here - 1]?.step === 'depth' ? STONES : 1);
  });
  const lengths = gaps.reduce((a, b) => a + b, 0) || 1;
  const [start, end] = [shore, width - shore];
  const mirror = (x: number) => (back ? width - x : x);
  let at = start;
  const xs = posts.map((_, i) => {
    if (i > 0) at += ((end - start) * (gaps[i - 1] ?? 1)) / lengths;
    return at;
  });
  const drawn: Causeway = { posts: posts.map((p, i) => ({ step: p.step, state: p.state, x: mirror(xs[i] ?? start) })), stones: [], stonesAt: null, each: 1, roads: [], bar: null };
  const reached = (state: StepState | undefined) => state === 'done' || state === 'current' || state === 'skipped';
  posts.slice(1).forEach((post, i) => {
    const [a, b] = [xs[i] ?? start, xs[i + 1] ?? end];
    if (gaps[i] !== STONES || !stones) {
      drawn.roads.push({ from: mirror(a), to: mirror(b), laid: reached(post.state) });
      return;
    }
    const of = Math.max(1, depth);
    const done = stones.state === 'done' || stones.state === 'skipped' ? of : stones.state === 'current' ? Math.min(operation.done, of) : 0;
    const count = Math.min(MOST, of);
    drawn.each = Math.ceil(of / count);
    const laid = Math.floor((done * count) / of);
    const road = Math.min(110, (b - a) * 0.16);
    const [from, to] = [a + road, b - Math.min(48, (b - a) * 0.1)];
    const pitch = (to - from) / count;
    drawn.roads.push({ from: mirror(a), to: mirror(from - 6), laid: reached(stones.state) }, { from: mirror(to + 6), to: mirror(b), laid: reached(post.state) });
    for (let k = 0; k < count; k += 1) {
      const x = from + k * pitch;
      drawn.stones.push({ x: back ? width - x - pitch + 5 : x, width: Math.max(3, pitch - 5), state: k < laid ? 'laid' : k === laid && stones.state === 'current' ? 'next' : 'ahead' });
    }
    drawn.stonesAt = mirror((from + to) / 2);
  });
  if (operation.no_return !== null && posts.length > 1) {
    const last = operation.steps[operation.no_return]?.step;
    const index = Math.max(0, posts.findIndex((p) => p.step === last));
    const a = xs[index] ?? start;
    const b = xs[index + 1];
    const current = operation.steps.findIndex((s) => s.state === 'current');
    if (b !== undefined) drawn.bar = { x: mirror(a + Math.min(42, (b - a) * 0.4)), passed: current < 0 || current > operation.no_return };
  }
  return drawn;
}

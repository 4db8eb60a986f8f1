// Geometry of the flow diagram: inputs left, one node, outputs right; width is the share of the amount within its asset.
import type { FlowEnd } from '$/ipc';
import { ratio, sum } from '$/kit/amount';

export interface Box {
  end: FlowEnd;
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Stream {
  path: string;
  width: number;
  look: 'ours' | 'foreign' | 'others';
}

export interface Drawing {
  height: number;
  boxes: Box[];
  streams: Stream[];
  node: { x: number; y: number; height: number };
  fee: { x: number; y: number; path: string } | null;
  hidden: { in: number; out: number };
}

const BOX = 68;
const GAP = 16;
const TOP = 30;
/** Height of all streams of one side together. */
const FLOW = 116;
/** More ends than this are counted, not drawn. */
const MOST = 8;
export const NODE = 28;

const mine = (end: FlowEnd): boolean => end.role === 'ours' || end.role === 'change' || end.role === 'issue';

/** Widths of one side's ends: shares of their asset, the assets side by side; equal when somebody cannot see. */
function widths(ends: readonly FlowEnd[], equal: boolean, all: readonly FlowEnd[]): number[] {
  const assets = new Set(all.filter((e) => e.asset).map((e) => e.asset!.id));
  const lanes = Math.max(1, assets.size);
  if (equal) return ends.map(() => Math.min(26, FLOW / ends.length - 2));
  return ends.map((end) => {
    if (end.asset === null || end.amount === null) return 14;
    const id = end.asset.id;
    const side = sum(ends.filter((e) => e.asset?.id === id && e.amount !== null).map((e) => e.amount!));
    return Math.max(2, ratio(end.amount, side) * (FLOW / lanes));
  });
}

export function draw(inputs: readonly FlowEnd[], outputs: readonly FlowEnd[], width: number, others: boolean): Drawing {
  const fee = outputs.find((o) => o.role === 'fee');
  const outs = outputs.filter((o) => o.role !== 'fee');
  const left = inputs.slice(0, MOST);
  const right = outs.slice(0, MOST);
  const box = Math.max(150, Math.min(232, (width - 180) / 2));
  const rows = Math.max(left.length, right.length, 1);
  const body = rows * BOX + (rows - 1) * GAP;
  const place = (ends: readonly FlowEnd[], x: number): Box[] => {
    const step = ends.length > 1 ? (body - BOX) / (ends.length - 1) : 0;
    const start = ends.length > 1 ? TOP : TOP + (body - BOX) / 2;
    return ends.map((end, i) => ({ end, x, y: start + i * step, width: box, height: BOX }));
  };
  const ins = place(left, 4);
  const onRight = place(right, width - box - 4);
  const equal = (side: readonly FlowEnd[]) => others && side.some((e) => e.blinded);
  const raw = [widths(left, equal(left), inputs), widths(right, equal(right), outs)] as const;
  // No stream is wider than the box it leaves.
  const scale = Math.min(1, (BOX - 4) / Math.max(...raw[0], ...raw[1], 1));
  const [inWidths, outWidths] = [raw[0].map((w) => Math.max(2, w * scale)), raw[1].map((w) => Math.max(2, w * scale))];
  const flow = Math.max(inWidths.reduce((a, b) => a + b, 0), outWidths.reduce((a, b) => a + b, 0), 24);
  const node = { x: width / 2 - NODE / 2, y: TOP + body / 2 - flow / 2 - 3, height: flow + 6 };
  const streams: Stream[] = [];
  const lay = (boxes: Box[], sizes: number[], toNode: boolean) => {
    const total = sizes.reduce((a, b) => a + b, 0);
    let at = TOP + body / 2 - total / 2;
    boxes.forEach((b, i) => {
      const w = sizes[i] ?? 2;
      const y0 = b.y + b.height / 2;
      const y1 = at + w / 2;
      at += w;
      const [x0, x1] = toNode ? [b.x + b.width, node.x] : [b.x, node.x + NODE];
      const mid = (x0 + x1) / 2;
      const look = others && b.end.blinded ? 'others' : mine(b.end) && !others ? 'ours' : 'foreign';
      streams.push({ path: `M${x0} ${y0}C${mid} ${y0} ${mid} ${y1} ${x1} ${y1}`, width: w, look });
    });
  };
  lay(ins, inWidths, true);
  lay(onRight, outWidths, false);
  const feeY = TOP + body + 34;
  const from = node.y + node.height;
  return {
    height: TOP + body + (fee ? 62 : 16),
    boxes: [...ins, ...onRight],
    streams,
    node,
    fee: fee ? { x: width - box - 4, y: feeY, path: `M${width / 2} ${from}V${feeY - 14}q0 14 14 14H${width - box - 10}` } : null,
    hidden: { in: inputs.length - left.length, out: outs.length - right.length },
  };
}

import type { Code } from '$/ipc';

/** A sentence, or a pair: with its figures, and without them when they are not known. */
export type Part = string | readonly [string, string];

/** Every code has three sentences, in this order: what, why, what now. `what` never has placeholders. */
export type FailureWords = Record<Code, { what: string; why: Part; now: Part }>;

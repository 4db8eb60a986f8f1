import type { en } from './en';

/** A sentence, or its forms by number. Chinese needs only `other`. */
export type Entry = string | { one?: string; other: string };

export type WordKey = keyof typeof en;

/** What every language must say: the same keys, plural where English is plural. */
export type Dictionary = { [K in WordKey]: (typeof en)[K] extends string ? string : { one?: string; other: string } };

/** The names of the placeholders in a sentence. */
export type Placeholders<S> = S extends `${string}{${infer Name}}${infer Rest}` ? Name | Placeholders<Rest> : never;

type Sentence<K extends WordKey> = (typeof en)[K] extends infer E ? (E extends { other: infer O } ? O : E) : never;

/** The arguments that a sentence needs: none, or each placeholder once. */
export type Arguments<K extends WordKey> = [Placeholders<Sentence<K>>] extends [never] ? [] : [Record<Placeholders<Sentence<K>>, string | number>];

// @vitest-environment node
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { stylesheet, tokens } from '../../scripts/tokens.mjs';

type Theme = Record<string, string>;
const { color } = tokens() as { color: Record<'light' | 'dark', Theme> };

/** WCAG 2 relative luminance. */
function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((i) => {
    const c = parseInt(hex.slice(i, i + 2), 16) / 255;
    return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function contrast(a: string, b: string): number {
  const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p) as [number, number];
  return (x + 0.05) / (y + 0.05);
}

test('the committed stylesheet is the one the tokens make', () => {
  expect(readFileSync('src/kit/tokens.css', 'utf8')).toBe(stylesheet(tokens()));
});

describe.each(['light', 'dark'] as const)('%s', (name) => {
  const theme = color[name];
  const grounds = ['canvas', 'rail', 'surface', 'sunken', 'raised'];
  const inks = ['ink', 'ink-2', 'ink-3', 'accent', 'verified', 'pending', 'halted'];
  const pairs: [string, string][] = [
    ...grounds.flatMap((g) => inks.map((i): [string, string] => [i, g])),
    ...['verified', 'reported', 'pending', 'halted', 'accent'].flatMap((s): [string, string][] => [[s, `${s}-soft`], ['ink', `${s}-soft`], ['ink-2', `${s}-soft`]]),
    ['on-accent', 'accent'], ['on-accent', 'accent-hover'], ['ink', 'land'], ['ink-2', 'land'], ['ink', 'water'], ['ink-2', 'water'], ['canvas', 'ink'],
  ];
  test.each(pairs)('%s on %s can be read', (ink, ground) => {
    expect(contrast(theme[ink]!, theme[ground]!)).toBeGreaterThanOrEqual(4.5);
  });
  test.each([['field-border', 'raised'], ['field-border', 'canvas'], ['focus', 'surface'], ['depth-1', 'surface']])('%s on %s can be seen', (line, ground) => {
    expect(contrast(theme[line]!, theme[ground]!)).toBeGreaterThanOrEqual(3);
  });
});

// Writes src/kit/tokens.css from assets/tokens.json. A test fails when the committed file is stale.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const source = new URL('../../assets/tokens.json', import.meta.url);
const target = new URL('../src/kit/tokens.css', import.meta.url);

/** The stylesheet for the tokens: names say the role, themes are attributes. */
export function stylesheet(tokens) {
  const lines = (entries) => entries.map(([name, value]) => `  --${name}: ${value};`).join('\n');
  const px = (prefix, group) => Object.entries(group).map(([k, v]) => [`${prefix}-${k}`, `${v}px`]);
  const { family, scale } = tokens.type;
  const { 'ease-settle': ease, ...times } = tokens.motion;
  const display = new Set(['figure', 'total']);
  const type = Object.entries(scale).map(([name, s]) => [
    `type-${name}`,
    `${s.weight} ${s.size}px/${s.line}px var(--font-${display.has(name) ? 'display' : 'ui'})`,
  ]);
  const theme = (name) => [
    ...Object.entries(tokens.color[name]),
    ...Object.entries(tokens.elevation).map(([level, by]) => [`shadow-${level}`, by[name]]),
  ];
  const base = [
    ...Object.entries(family).map(([k, v]) => [`font-${k}`, v]),
    ...px('s', tokens.space),
    ...px('size', tokens.size),
    ...px('r', tokens.radius),
    ...Object.entries(times).map(([k, v]) => [k, `${v}ms`]),
    ['ease', ease],
  ];
  return `/* Written by scripts/tokens.mjs from assets/tokens.json. Change the tokens, not this file. */
:root {
${lines(base)}
}
:root, [data-theme] {
${lines(type)}
}
:root, [data-theme="light"] {
  color-scheme: light;
${lines(theme('light'))}
}
[data-theme="dark"] {
  color-scheme: dark;
${lines(theme('dark'))}
}
@media (prefers-reduced-motion: reduce) {
  :root { --quick: 0ms; --settle: 0ms; --lay: 0ms; }
}
`;
}

export const tokens = () => JSON.parse(readFileSync(source, 'utf8'));

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(target, stylesheet(tokens()));

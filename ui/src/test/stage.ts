// Mounts a window of the face over a world in memory.
import { flushSync, mount, tick, unmount, type Component } from 'svelte';
import { forgetAll } from '$/features/drafts/open.svelte';
import { useHost } from '$/ipc';
import { listen, reset } from '$/ipc/query.svelte';
import type { Scenario } from '$/ipc/mock/seed';
import { World } from '$/ipc/mock/world';
import { go } from '$/shell/route.svelte';
import { dismiss, toasts } from '$/shell/toasts.svelte';
import { setLanguage, type Language } from '$/words/index.svelte';

export interface Stage {
  world: World;
  root: HTMLElement;
  /** Lets answers arrive and effects run. */
  settle(): Promise<void>;
  find(testid: string): HTMLElement;
  maybe(testid: string): HTMLElement | null;
  click(testid: string): Promise<void>;
  type(testid: string, text: string): Promise<void>;
  text(): string;
  close(): Promise<void>;
}

export async function stage<P extends Record<string, unknown>>(
  component: Component<P>, props: P, options: { world?: World; scenario?: Scenario; path?: string[]; language?: Language } = {},
): Promise<Stage> {
  reset();
  forgetAll();
  for (const { id } of [...toasts()]) dismiss(id);
  const world = options.world ?? new World(options.scenario ?? 'full');
  world.state.settings.language = options.language ?? 'en';
  setLanguage(options.language ?? 'en');
  useHost(world);
  go(...(options.path ?? []));
  const root = document.createElement('div');
  document.body.append(root);
  const app = mount(component, { target: root, props });
  await listen();
  const settle = async () => {
    for (let i = 0; i < 12; i += 1) {
      await new Promise((done) => setTimeout(done, 0));
      await tick();
      flushSync();
    }
  };
  await settle();
  const maybe = (testid: string) => document.querySelector<HTMLElement>(`[data-testid="${testid}"]`);
  const find = (testid: string) => {
    const found = maybe(testid);
    if (!found) throw new Error(`nothing is called ${testid}; there is ${[...document.querySelectorAll('[data-testid]')].map((e) => e.getAttribute('data-testid')).join(' ')}`);
    return found;
  };
  return {
    world, root, settle, find, maybe,
    async click(testid) {
      find(testid).click();
      await settle();
    },
    async type(testid, text) {
      const field = find(testid) as HTMLInputElement;
      field.value = text;
      field.dispatchEvent(new Event('input', { bubbles: true }));
      await settle();
    },
    text: () => document.body.textContent ?? '',
    async close() {
      await unmount(app);
      root.remove();
    },
  };
}

// The world in memory for a development page: `?mock=SCENARIO`. The confirm window is a frame that shares the world.
import type { Host } from '../host';
import type { Scenario } from './seed';
import { World } from './world';

declare global {
  interface Window {
    causewayWorld?: World;
  }
}

export function pageHost(): Host {
  const shared = window.parent !== window ? window.parent.causewayWorld : undefined;
  if (shared) return shared;
  const query = new URLSearchParams(location.search);
  const world = new World((query.get('mock') || 'full') as Scenario);
  if (query.get('lang')) world.state.settings.language = query.get('lang')!;
  if (query.get('theme')) world.state.settings.theme = query.get('theme') as 'light';
  if (query.has('hide')) world.state.settings.hide_amounts = true;
  window.causewayWorld = world;
  let frame: HTMLIFrameElement | null = null;
  world.onCloseConfirm = () => frame?.remove();
  world.onConfirm = (draft) => {
    frame?.remove();
    frame = document.createElement('iframe');
    frame.className = 'mock-confirm';
    frame.title = 'confirm';
    frame.src = `confirm.html?mock&draft=${draft}`;
    document.body.append(frame);
  };
  return world;
}

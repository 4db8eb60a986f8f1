// What happy-dom lacks of a window.
import { afterEach } from 'vitest';

globalThis.ResizeObserver ??= class {
  observe() {}
  unobserve() {}
  disconnect() {}
};
if (typeof HTMLDialogElement !== 'undefined' && !HTMLDialogElement.prototype.showModal) {
  HTMLDialogElement.prototype.showModal = function () {
    this.setAttribute('open', '');
  };
  HTMLDialogElement.prototype.close = function () {
    this.removeAttribute('open');
  };
}

if (typeof document !== 'undefined') document.title = 'Causeway';

afterEach(() => {
  if (typeof document === 'undefined') return;
  document.body.innerHTML = '';
  location.hash = '';
});

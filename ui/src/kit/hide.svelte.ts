// Amounts can be hidden from people who look over the shoulder: by setting, and shown again until the window closes.
const state = $state({ setting: false, shown: false });

export const hidden = (): boolean => state.setting && !state.shown;
export const hideSetting = (): boolean => state.setting;
export function setHidden(setting: boolean): void {
  state.setting = setting;
}
export function toggleShown(): void {
  state.shown = !state.shown;
}

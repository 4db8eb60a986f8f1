// What the face asks of the program around it. `tauri.ts` is the real one; `mock/` is a world in memory.
import type { Code, Commands, Failure, Notice, Progress, WalletView } from './bindings';

export type CommandName = keyof Commands;
export type Request<C extends CommandName> = Commands[C]['request'];
export type Answer<C extends CommandName> = Commands[C]['answer'];

/** Why the native words window opens. Recovery words never enter this page. */
export type WordsPurpose = 'create' | 'restore' | 'backup';

/** Whether a wallet can be opened by the system's keyring. */
export interface KeyringState {
  offered: boolean;
  remembered: boolean;
}

export interface Host {
  /** Rejects with a `Failure`. */
  invoke<C extends CommandName>(name: C, request: Request<C>): Promise<Answer<C>>;
  /** Both are called until the window closes; progress may be dropped. */
  subscribe(onNotice: (notice: Notice) => void, onProgress: (progress: Progress) => void): Promise<void>;
  /** Opens the separate window in which a draft is checked and signed. */
  openConfirm(draft: number): Promise<void>;
  closeConfirm(): Promise<void>;
  /** Resolves when it closes: to the new wallet, or null when nothing was made. */
  openWords(purpose: WordsPurpose, wallet: number | null): Promise<WalletView | null>;
  /** Resolves to where it was saved; null when the person closed the dialog. */
  saveFile(name: string, text: string): Promise<string | null>;
  copyText(text: string): Promise<void>;
  /** Null when the person closed the dialog. */
  chooseTextFile(): Promise<string | null>;
  keyringState(wallet: number): Promise<KeyringState>;
  keyringRemember(wallet: number, password: string): Promise<void>;
  keyringForget(wallet: number, password: string): Promise<void>;
  keyringUnlock(wallet: number): Promise<WalletView>;
}

/** Anything that was thrown, as a failure that has words. */
export function asFailure(thrown: unknown): Failure {
  if (typeof thrown === 'object' && thrown !== null && 'code' in thrown && typeof thrown.code === 'string') {
    const args = 'args' in thrown && typeof thrown.args === 'object' && thrown.args !== null ? thrown.args : {};
    return { code: thrown.code as Code, args: args as Record<string, string> };
  }
  return { code: 'bug', args: {} };
}

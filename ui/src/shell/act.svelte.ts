// What a button or a form does: busy while it runs, and a refusal is shown.
import { asFailure, type Answer, type CommandName, type Failure, type Request } from '$/ipc';
import { run } from '$/ipc/query.svelte';
import { refuse } from './toasts.svelte';

/** One piece of work at a time; the refusal stays as `failure` until the next, for the form to show it beside what was asked. */
export function attempt() {
  let busy = $state(false);
  let failure = $state.raw<Failure | null>(null);
  return {
    get busy() {
      return busy;
    },
    get failure() {
      return failure;
    },
    forget() {
      failure = null;
    },
    /** Whether the work was done. */
    async run(work: () => Promise<unknown>): Promise<boolean> {
      if (busy) return false;
      [busy, failure] = [true, null];
      try {
        await work();
      } catch (thrown) {
        failure = asFailure(thrown);
      } finally {
        busy = false;
      }
      return failure === null;
    },
  };
}

/** Runs commands for a button; a refusal becomes a toast. */
export function action() {
  const doing = attempt();
  return {
    get busy() {
      return doing.busy;
    },
    /** The answer, or null when it was refused. */
    async run<C extends CommandName>(name: C, request: Request<C>): Promise<Answer<C> | null> {
      let answer: Answer<C> | null = null;
      if (!(await doing.run(async () => void (answer = await run(name, request)))) && doing.failure) refuse(doing.failure);
      return answer;
    },
  };
}

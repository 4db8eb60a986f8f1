// Runs a command for a button: busy while it runs, a refusal becomes a toast.
import { asFailure, type Answer, type CommandName, type Request } from '$/ipc';
import { run } from '$/ipc/query.svelte';
import { refuse } from './toasts.svelte';

export function action() {
  let busy = $state(false);
  return {
    get busy() {
      return busy;
    },
    /** The answer, or null when it was refused. */
    async run<C extends CommandName>(name: C, request: Request<C>): Promise<Answer<C> | null> {
      if (busy) return null;
      busy = true;
      try {
        return await run(name, request);
      } catch (thrown) {
        refuse(asFailure(thrown));
        return null;
      } finally {
        busy = false;
      }
    },
  };
}

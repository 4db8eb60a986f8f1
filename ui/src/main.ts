import { mount } from 'svelte';
import './kit/fonts.css';
import './kit/tokens.css';
import './kit/kit.css';
import './kit/app.css';
import { chooseHost } from './ipc';
import { listen } from './ipc/query.svelte';
import App from './shell/App.svelte';

await chooseHost();
// The first frame does not wait for the app behind it.
mount(App, { target: document.getElementById('app')! });
// A world that cannot open says so in the answer to the first question.
listen().catch(() => undefined);

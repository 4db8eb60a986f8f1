import { mount } from 'svelte';
import './kit/fonts.css';
import './kit/tokens.css';
import './kit/kit.css';
import './kit/app.css';
import { chooseHost } from './ipc';
import { listen } from './ipc/query.svelte';
import App from './shell/App.svelte';

await chooseHost();
await listen();
mount(App, { target: document.getElementById('app')! });

import { mount } from 'svelte';
import './kit/fonts.css';
import './kit/tokens.css';
import './kit/kit.css';
import './kit/app.css';
import { chooseHost } from './ipc';
import { listen } from './ipc/query.svelte';
import Confirm from './features/confirm/Confirm.svelte';

await chooseHost();
await listen();
mount(Confirm, { target: document.getElementById('app')! });

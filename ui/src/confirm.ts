import { mount } from 'svelte';
import './kit/fonts.css';
import './kit/tokens.css';
import './kit/kit.css';
import './kit/app.css';
import { chooseHost } from './ipc';
import { listen } from './ipc/query.svelte';
import { applyTheme } from './shell/session.svelte';
import { languageOf, setLanguage } from './words/index.svelte';
import Confirm from './features/confirm/Confirm.svelte';

// Until the settings are read, the system decides.
applyTheme('system');
setLanguage(languageOf('', navigator.languages));
await chooseHost();
const draft = Number(new URLSearchParams(location.search).get('draft'));
mount(Confirm, { target: document.getElementById('app')!, props: { draft } });
// A world that cannot open says so in the answer to the first question.
listen().catch(() => undefined);

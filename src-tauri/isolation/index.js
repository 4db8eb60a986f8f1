// Every message from a page passes here before it is encrypted for the host. Only plain commands of the host's own list
// have a reason to pass: plugins of the framework are for Rust alone.
window.__TAURI_ISOLATION_HOOK__ = (message) => {
  if (typeof message.cmd !== 'string' || message.cmd.startsWith('plugin:')) {
    throw new Error('refused')
  }
  return message
}

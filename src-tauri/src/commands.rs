//! The contract's commands as Tauri commands: three lines each, written by the list itself.

use crate::host::Host;
use causeway_contract::*;
use tauri::State;

macro_rules! tauri_commands {
    ($($name:ident($req:ty) -> $ans:ty [$($window:ident),*] reads [$($r:ident),*] stales [$($s:ident),*];)*) => {
        $(
            #[tauri::command]
            async fn $name(host: State<'_, Host>, request: $req) -> Result<$ans, Failure> {
                host.app().await?.$name(request).await
            }
        )*

        /// Dispatches a webview's call. The access-control lists have judged it before; the contract's own list judges it again.
        pub(crate) fn handler() -> impl Fn(tauri::ipc::Invoke<tauri::Wry>) -> bool + Send + Sync + 'static {
            use crate::{files::*, keyring_unlock::*, windows::*, words::*};
            let dispatch: fn(tauri::ipc::Invoke<tauri::Wry>) -> bool = tauri::generate_handler![
                $($name,)*
                subscribe, open_confirm, close_confirm, open_words, save_file, copy_text, choose_text_file,
                keyring_state, keyring_remember, keyring_forget, keyring_unlock,
            ];
            move |invoke| {
                let label = invoke.message.webview_ref().label().to_owned();
                match COMMANDS.iter().find(|c| c.name == invoke.message.command()) {
                    Some(command) if !command.windows.iter().any(|w| w.label() == label) => {
                        invoke.resolver.reject(Failure::new(Code::UnknownCommand));
                        true
                    }
                    _ => dispatch(invoke),
                }
            }
        }
    };
}
causeway_contract::with_commands!(tauri_commands);

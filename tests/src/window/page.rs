//! A page of the app: found by test ids, waited for, never slept for.

use fantoccini::actions::{InputSource, KeyAction, KeyActions, MOUSE_BUTTON_LEFT, MouseActions, PointerAction};
use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use std::path::Path;
use std::time::Duration;

/// How long an element may take to appear.
const APPEARS_WITHIN: Duration = Duration::from_secs(30);
/// How long the sign button is held; the app asks for 1.2 s.
const HOLD: Duration = Duration::from_millis(1_600);

pub(super) type Done<T> = Result<T, String>;

pub(super) struct Page(Client);

/// What went wrong, with the element it was about.
fn at(what: &str) -> impl Fn(fantoccini::error::CmdError) -> String + '_ {
    move |error| format!("{what}: {error}")
}

fn css(id: &str) -> String {
    format!("[data-testid=\"{id}\"]")
}

impl Page {
    /// Starts the app in a window.
    pub(super) async fn open(driver: &str, program: &Path, args: &[String]) -> Done<Page> {
        let options = serde_json::json!({ "application": program, "args": args });
        let mut capabilities = serde_json::Map::new();
        capabilities.insert("browserName".into(), "wry".into());
        capabilities.insert("tauri:options".into(), options);
        // The bridge listens a moment before the WebDriver that it starts does.
        let end = tokio::time::Instant::now() + APPEARS_WITHIN;
        loop {
            let builder = ClientBuilder::new(HttpConnector::new()).capabilities(capabilities.clone()).connect(driver).await;
            match builder {
                Ok(client) => return Ok(Page(client)),
                Err(error) if tokio::time::Instant::now() > end => return Err(format!("starting the window: {error}")),
                Err(_) => tokio::time::sleep(Duration::from_millis(250)).await,
            }
        }
    }

    pub(super) async fn close(self) -> Done<()> {
        self.0.close().await.map_err(at("closing"))
    }

    pub(super) async fn find(&self, id: &str) -> Done<Element> {
        let found = self.0.wait().at_most(APPEARS_WITHIN).for_element(Locator::Css(&css(id))).await;
        found.map_err(|e| format!("{id} did not appear: {e}"))
    }

    pub(super) async fn shows(&self, id: &str) -> bool {
        self.0.find(Locator::Css(&css(id))).await.is_ok()
    }

    /// Waits until an element is there no more.
    pub(super) async fn until_gone(&self, id: &str) -> Done<()> {
        self.until(id, APPEARS_WITHIN, async |p| Ok(!p.shows(id).await)).await
    }

    /// Clicks once the element is there and enabled.
    pub(super) async fn click(&self, id: &str) -> Done<()> {
        let end = tokio::time::Instant::now() + APPEARS_WITHIN;
        loop {
            let element = self.find(id).await?;
            let refused = element.attr("aria-disabled").await.map_err(at(id))?;
            let disabled = element.attr("disabled").await.map_err(at(id))?;
            if refused.as_deref() != Some("true") && disabled.is_none() && element.click().await.is_ok() {
                return Ok(());
            }
            if tokio::time::Instant::now() > end {
                return Err(format!("{id} stays disabled ({})", element.attr("title").await.ok().flatten().unwrap_or_default()));
            }
            self.pause().await;
        }
    }

    /// Types like a person, except for what takes the shift key, which this display has not without a window manager: that is pasted.
    pub(super) async fn type_into(&self, id: &str, text: &str) -> Done<()> {
        let element = self.find(id).await?;
        element.clear().await.map_err(at(id))?;
        match text.chars().any(|c| c.is_uppercase() || "~!@#$%^&*()_+{}|:\"<>?".contains(c)) {
            true => self.paste(id, text).await,
            false => element.send_keys(text).await.map_err(at(id)),
        }
    }

    /// Puts a text into a field at once.
    pub(super) async fn paste(&self, id: &str, text: &str) -> Done<()> {
        self.find(id).await?;
        let paste = "const [id, text, done] = arguments; const field = document.querySelector(id); \
             field.value = text; field.dispatchEvent(new Event('input', { bubbles: true })); done(field.value)";
        let arguments = vec![css(id).into(), text.into()];
        let pasted = self.0.execute_async(paste, arguments).await.map_err(at(id))?;
        if pasted == text { Ok(()) } else { Err(format!("{id} took {pasted} instead of {text}")) }
    }

    /// Switches a box on or off: its words are clicked, as a hand would.
    pub(super) async fn tick(&self, id: &str) -> Done<()> {
        self.find(id).await?;
        self.ask(&format!("document.querySelector({:?}).closest('label').click()", css(id))).await.map(drop)
    }

    /// Chooses an option of a list by its value.
    pub(super) async fn choose(&self, id: &str, value: &str) -> Done<()> {
        self.find(id).await?.select_by_value(value).await.map_err(at(id))
    }

    /// Goes where a link of the app would: `path` is what stands behind `#/`.
    pub(super) async fn go(&self, path: &str) -> Done<()> {
        self.ask(&format!("location.hash = '#/{path}'")).await.map(drop)
    }

    /// What an attribute of an element says, if it has it.
    pub(super) async fn attr(&self, id: &str, name: &str) -> Done<Option<String>> {
        self.find(id).await?.attr(name).await.map_err(at(id))
    }

    /// Whether nothing on the page says that it is still loading.
    pub(super) async fn quiet(&self) -> Done<bool> {
        Ok(self.0.find_all(Locator::Css("[aria-busy=\"true\"]")).await.map_err(at("aria-busy"))?.is_empty())
    }

    pub(super) async fn text(&self, id: &str) -> Done<String> {
        self.find(id).await?.text().await.map_err(at(id))
    }

    /// Runs a script; for reading what no element shows and for calls that must be denied.
    pub(super) async fn script(&self, body: &str) -> Done<serde_json::Value> {
        self.0.execute_async(body, Vec::new()).await.map_err(at("script"))
    }

    /// What an expression is in the page.
    pub(super) async fn ask(&self, expression: &str) -> Done<serde_json::Value> {
        self.0.execute(&format!("return {expression}"), Vec::new()).await.map_err(at(expression))
    }

    /// Presses keys one after the other, each let go at once.
    pub(super) async fn keys(&self, keys: impl IntoIterator<Item = char>) -> Done<()> {
        let mut actions = KeyActions::new("keyboard".into());
        for value in keys {
            actions = actions.then(KeyAction::Down { value }).then(KeyAction::Up { value });
        }
        self.0.perform_actions(actions).await.map_err(at("keys"))
    }

    /// Presses a key while another one is held.
    pub(super) async fn chord(&self, held: char, value: char) -> Done<()> {
        let actions = KeyActions::new("keyboard".into())
            .then(KeyAction::Down { value: held })
            .then(KeyAction::Down { value })
            .then(KeyAction::Up { value })
            .then(KeyAction::Up { value: held });
        self.0.perform_actions(actions).await.map_err(at("chord"))
    }

    /// Makes the window as large as this, in pixels.
    pub(super) async fn resize(&self, width: u32, height: u32) -> Done<()> {
        self.0.set_window_size(width, height).await.map_err(at("window size"))
    }

    /// Waits until `ready` says so. Pages change on the app's notices; WebDriver has no feed of them, so it is asked again.
    pub(super) async fn until(&self, what: &str, within: Duration, ready: impl AsyncFn(&Page) -> Done<bool>) -> Done<()> {
        let end = tokio::time::Instant::now() + within;
        while tokio::time::Instant::now() < end {
            if ready(self).await? {
                return Ok(());
            }
            self.pause().await;
        }
        Err(format!("{what}: not within {} s", within.as_secs()))
    }

    async fn pause(&self) {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }

    /// Takes a picture. WebKit takes it with the next paint, which on a page that rests never comes: a dot that nobody sees paints.
    pub(super) async fn screenshot(&self, path: &Path) -> Done<()> {
        let paint = "const dot = document.createElement('i'); document.body.append(dot); \
             dot.style.cssText = 'position: fixed; right: 0; bottom: 0; width: 1px; height: 1px'; \
             const end = performance.now() + 3000; let turn = 0; \
             (function beat() { dot.style.backgroundColor = (turn ^= 1) ? 'rgb(128 128 128 / 2%)' : 'rgb(128 128 128 / 1%)'; \
               if (performance.now() < end) requestAnimationFrame(beat); else dot.remove(); })()";
        self.0.execute(paint, Vec::new()).await.map_err(at("paint"))?;
        let png = self.0.screenshot().await.map_err(at("screenshot"))?;
        std::fs::write(path, png).map_err(|e| format!("{}: {e}", path.display()))
    }

    /// Switches to the confirm window once it is there; returns the handle of the window that was current.
    pub(super) async fn enter_confirm(&self) -> Done<fantoccini::wd::WindowHandle> {
        let main = self.0.window().await.map_err(at("window"))?;
        let end = tokio::time::Instant::now() + APPEARS_WITHIN;
        while tokio::time::Instant::now() < end {
            let handles = self.0.windows().await.map_err(at("windows"))?;
            if let Some(other) = handles.into_iter().find(|h| *h != main) {
                self.0.switch_to_window(other).await.map_err(at("confirm window"))?;
                return Ok(main);
            }
            self.pause().await;
        }
        Err("the confirm window did not open".into())
    }

    /// Holds the sign button as a hand would, and returns to the main window.
    pub(super) async fn hold_to_sign(&self, main: fantoccini::wd::WindowHandle) -> Done<()> {
        let button = self.find("confirm-hold").await?;
        let hold = MouseActions::new("hand".into())
            .then(PointerAction::MoveToElement { element: button, duration: None, x: 0.0, y: 0.0 })
            .then(PointerAction::Down { button: MOUSE_BUTTON_LEFT })
            .then(PointerAction::Pause { duration: HOLD })
            .then(PointerAction::Up { button: MOUSE_BUTTON_LEFT });
        // The window closes itself when the signature is on disk, so the release may find no window.
        let _released = self.0.perform_actions(hold).await;
        self.signed(main).await
    }

    async fn signed(&self, main: fantoccini::wd::WindowHandle) -> Done<()> {
        let end = tokio::time::Instant::now() + APPEARS_WITHIN;
        while tokio::time::Instant::now() < end {
            if self.0.windows().await.map_err(at("windows"))?.len() == 1 {
                return self.0.switch_to_window(main).await.map_err(at("main window"));
            }
            self.pause().await;
        }
        let said = if self.shows("confirm-failure").await { self.text("confirm-failure").await? } else { "it stays open".into() };
        Err(format!("the confirm window did not sign: {said}"))
    }
}

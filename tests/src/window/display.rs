//! A display of its own, and the bridge between WebDriver and the desktop app; both end when dropped.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const READY_WITHIN: Duration = Duration::from_secs(20);

/// A process group that is ended, not only its first process, when dropped: the bridge starts others.
pub(crate) struct Group(pub(crate) Child);

impl Drop for Group {
    fn drop(&mut self) {
        // The group leader's id is its process id, because it was started with a group of its own.
        let ended = Command::new("kill").args(["-TERM", "--", &format!("-{}", self.0.id())]).status();
        if ended.is_ok() {
            let _reaped = self.0.wait();
        }
    }
}

/// An X server that nobody looks at.
pub(crate) struct Screen {
    /// What `DISPLAY` must be.
    pub(crate) name: String,
    _server: Group,
}

impl Screen {
    /// Starts it with a `size` such as `1600x1000`. With `pixels` the file `Xvfb_screen0` in that directory shows what is on the screen, in the format of xwd.
    pub(crate) fn start(size: &str, pixels: Option<&Path>) -> io::Result<Screen> {
        use std::os::unix::process::CommandExt;
        let number = (90..).find(|n| !Path::new(&format!("/tmp/.X{n}-lock")).exists()).unwrap_or(90);
        let name = format!(":{number}");
        let mut command = Command::new("Xvfb");
        command.args([&name, "-screen", "0", &format!("{size}x24"), "-nolisten", "tcp"]);
        if let Some(dir) = pixels {
            command.arg("-fbdir").arg(dir);
        }
        let server = Group(command.stdin(Stdio::null()).stderr(Stdio::null()).process_group(0).spawn()?);
        let socket = PathBuf::from(format!("/tmp/.X11-unix/X{number}"));
        wait("Xvfb", || socket.exists())?;
        Ok(Screen { name, _server: server })
    }
}

/// A screen, a D-Bus session and tauri-driver.
pub(super) struct Display {
    /// Where WebDriver answers.
    pub(super) driver: String,
    /// What `DISPLAY` must be.
    pub(super) screen: String,
    _bridge: Group,
    _screen: Screen,
}

fn free_port() -> io::Result<u16> {
    std::net::TcpListener::bind("127.0.0.1:0")?.local_addr().map(|a| a.port())
}

/// Polls until `ready` holds; these are other programs, so there is no feed to wait on.
fn wait(what: &str, ready: impl Fn() -> bool) -> io::Result<()> {
    let end = Instant::now() + READY_WITHIN;
    while Instant::now() < end {
        if ready() {
            return Ok(());
        }
        std::thread::park_timeout(Duration::from_millis(50));
    }
    Err(io::Error::new(io::ErrorKind::TimedOut, format!("{what} did not come up")))
}

impl Display {
    /// Starts everything. `driver` is the path of tauri-driver; `home` becomes the home directory of the app.
    pub(super) fn start(driver: &Path, home: &Path) -> io::Result<Display> {
        use std::os::unix::process::CommandExt;
        let screen = Screen::start("1600x1000", None)?;
        // The folder for downloads is named by a file, not by the environment.
        let settings = home.join("settings");
        std::fs::create_dir_all(&settings)?;
        std::fs::write(settings.join("user-dirs.dirs"), format!("XDG_DOWNLOAD_DIR=\"{}\"\n", home.display()))?;
        let (port, native) = (free_port()?, free_port()?);
        let bridge = Command::new("dbus-run-session")
            .arg("--")
            .arg(driver)
            .args(["--port", &port.to_string(), "--native-port", &native.to_string()])
            .env("DISPLAY", &screen.name)
            .env("XDG_CONFIG_HOME", &settings)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        let bridge = Group(bridge);
        wait("tauri-driver", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok())?;
        let driver = format!("http://127.0.0.1:{port}");
        Ok(Display { driver, screen: screen.name.clone(), _bridge: bridge, _screen: screen })
    }
}

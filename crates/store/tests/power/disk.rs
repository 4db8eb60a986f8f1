//! A disk that remembers in which order it was written and synced, beneath SQLite.
//!
//! [`install`] puts a file system of SQLite's own kind between the database and the real one. In directories that are watched it records every
//! write, truncation, deletion and sync; [`Recording::after_power_loss`] then makes what a disk may hold when the power goes at some moment:
//! everything that was synced, and of the rest any part, down to single sectors. Nothing is really synced, which makes no difference to a
//! machine that stays on.
#![allow(unsafe_code, reason = "SQLite's file systems are C structures")]

use rand::Rng as _;
use rand::rngs::StdRng;
use rusqlite::ffi;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{CStr, c_char, c_int, c_void};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, Once, PoisonError};

/// What a disk writes whole or not at all, bytes.
const SECTOR: usize = 512;

/// What happened on a disk, in order.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    Write {
        file: String,
        at: usize,
        bytes: Vec<u8>,
    },
    Truncate {
        file: String,
        size: usize,
    },
    Delete {
        file: String,
    },
    /// The folder itself: what was made and deleted in it is known for good.
    SyncFolder,
    Sync {
        file: String,
    },
    /// The caller was told that so many of its commits are safe.
    Promised(usize),
}

/// Everything that happened in a directory.
#[derive(Debug, Clone, Default)]
pub(crate) struct Recording(pub(crate) Vec<Event>);

/// Writes and syncs that still succeed in a directory, and what SQLite is told by the ones after them.
static BROKEN: Mutex<BTreeMap<PathBuf, (usize, c_int)>> = Mutex::new(BTreeMap::new());

/// Lets the disk fail after so many more writes and syncs, until it is mended.
pub(crate) fn fail_after(dir: &Path, steps: usize, code: c_int) {
    BROKEN.lock().unwrap_or_else(PoisonError::into_inner).insert(dir.to_owned(), (steps, code));
}

/// The disk works again.
pub(crate) fn mend(dir: &Path) {
    BROKEN.lock().unwrap_or_else(PoisonError::into_inner).remove(dir);
}

/// What a step on a file of this path fails with.
fn fails(path: Option<&PathBuf>) -> Option<c_int> {
    let mut broken = BROKEN.lock().unwrap_or_else(PoisonError::into_inner);
    let (left, code) = broken.get_mut(path?.parent()?)?;
    match left.checked_sub(1) {
        Some(fewer) => {
            *left = fewer;
            None
        }
        None => Some(*code),
    }
}

static WATCHED: Mutex<BTreeMap<PathBuf, Recording>> = Mutex::new(BTreeMap::new());

fn watched<T>(act: impl FnOnce(&mut BTreeMap<PathBuf, Recording>) -> T) -> T {
    act(&mut WATCHED.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Records what happens in this directory from now on.
pub(crate) fn watch(dir: &Path) {
    install();
    watched(|all| all.insert(dir.to_owned(), Recording::default()));
}

/// Notes a promise among the events of this directory.
pub(crate) fn promise(dir: &Path, commits: usize) {
    watched(|all| all.get_mut(dir).expect("watched").0.push(Event::Promised(commits)));
}

/// Ends the recording.
pub(crate) fn recorded(dir: &Path) -> Recording {
    watched(|all| all.remove(dir)).expect("watched")
}

/// What a file holds after these events; `None` when it is gone.
fn apply(content: &mut Option<Vec<u8>>, event: &Event, keeps: &mut dyn FnMut() -> bool) {
    match event {
        Event::Write { at, bytes, .. } => {
            let held = content.get_or_insert_default();
            let mut from = 0;
            while from < bytes.len() {
                // Up to the next border of a sector of the disk.
                let to = bytes.len().min(from + SECTOR - (at + from) % SECTOR);
                if keeps() {
                    held.resize(held.len().max(at + to), 0);
                    held[at + from..at + to].copy_from_slice(&bytes[from..to]);
                }
                from = to;
            }
        }
        Event::Truncate { size, .. } if keeps() => content.get_or_insert_default().resize(*size, 0),
        Event::Delete { .. } => *content = None,
        _ => {}
    }
}

impl Recording {
    /// Commits that were promised within the first `moment` events.
    pub(crate) fn promised(&self, moment: usize) -> usize {
        let promised = |event: &Event| if let Event::Promised(commits) = event { Some(*commits) } else { None };
        self.0[..moment].iter().filter_map(promised).max().unwrap_or(0)
    }

    /// Writes into `to` what may be left of the files when the power goes after the first `moment` events. With `heeds_syncs` false, a sync is
    /// as good as none: the disk of a liar, or a program that forgot to ask.
    pub(crate) fn after_power_loss(&self, moment: usize, heeds_syncs: bool, rng: &mut StdRng, to: &Path) {
        let events = &self.0[..moment];
        let name = |event: &Event| match event {
            Event::Write { file, .. } | Event::Truncate { file, .. } | Event::Delete { file, .. } | Event::Sync { file } => {
                Some(file.clone())
            }
            Event::SyncFolder | Event::Promised(_) => None,
        };
        let files: BTreeSet<String> = events.iter().filter_map(name).collect();
        for file in files {
            let own = || events.iter().enumerate().filter(|(_, event)| name(event).as_ref() == Some(&file));
            let safe = own().filter(|(_, event)| heeds_syncs && matches!(event, Event::Sync { .. })).map(|(at, _)| at).max();
            // How much of what was not synced is kept: nothing, all, or here and there.
            let share = [0, 20, 50, 80, 100][rng.gen_range(0..5)];
            let listed = events.iter().rposition(|event| heeds_syncs && matches!(event, Event::SyncFolder));
            let mut content = None;
            for (at, event) in own() {
                if matches!(event, Event::Delete { .. }) && listed.is_none_or(|listed| at > listed) && rng.r#gen() {
                    // It is there again; what was written since went to a file that nobody can find.
                    break;
                }
                let is_safe = safe.is_some_and(|safe| at < safe);
                apply(&mut content, event, &mut || is_safe || rng.gen_range(0..100) < share);
            }
            if let Some(content) = content {
                std::fs::write(to.join(&file), content).expect("a file");
            }
        }
    }
}

// -- the file system

/// A file of SQLite's; the real one lies behind it in memory.
#[repr(C)]
struct File {
    base: ffi::sqlite3_file,
    /// Where it lies, owned; null for files without a name.
    path: *mut PathBuf,
    /// It is a new log: the first sync is one of the folder too, as SQLite's own file system has it.
    syncs_folder: bool,
}

fn real(file: *mut ffi::sqlite3_file) -> *mut ffi::sqlite3_file {
    // SAFETY: SQLite allocates `szOsFile` bytes for each file, which is this structure and a real file.
    unsafe { file.byte_add(size_of::<File>()) }
}

macro_rules! pass_on {
    ($($name:ident = $method:ident($($argument:ident: $of:ty),*) -> $gives:ty;)*) => {
        $(unsafe extern "C" fn $name(file: *mut ffi::sqlite3_file, $($argument: $of),*) -> $gives {
            let real = real(file);
            // SAFETY: SQLite calls the methods of open files only, and the real one is open as long as this one.
            unsafe { ((*(*real).pMethods).$method.expect("a method"))(real, $($argument),*) }
        })*
    };
}

pass_on! {
    read = xRead(to: *mut c_void, count: c_int, at: i64) -> c_int;
    real_write = xWrite(from: *const c_void, count: c_int, at: i64) -> c_int;
    real_truncate = xTruncate(size: i64) -> c_int;
    file_size = xFileSize(size: *mut i64) -> c_int;
    lock = xLock(level: c_int) -> c_int;
    unlock = xUnlock(level: c_int) -> c_int;
    check_reserved_lock = xCheckReservedLock(found: *mut c_int) -> c_int;
    file_control = xFileControl(what: c_int, argument: *mut c_void) -> c_int;
    sector_size = xSectorSize() -> c_int;
    characteristics = xDeviceCharacteristics() -> c_int;
    shm_map = xShmMap(page: c_int, size: c_int, extend: c_int, to: *mut *mut c_void) -> c_int;
    shm_lock = xShmLock(at: c_int, count: c_int, flags: c_int) -> c_int;
    shm_barrier = xShmBarrier() -> ();
    shm_unmap = xShmUnmap(delete: c_int) -> c_int;
    real_close = xClose() -> c_int;
}

/// Records an event of a file in a watched directory.
fn note(path: &Path, event: impl FnOnce(String) -> Event) {
    let (Some(dir), Some(name)) = (path.parent(), path.file_name()) else { return };
    let name = name.to_string_lossy().into_owned();
    watched(|all| all.get_mut(dir).map(|recording| recording.0.push(event(name))));
}

fn path_of(file: *mut ffi::sqlite3_file) -> Option<PathBuf> {
    // SAFETY: the path belongs to the open file.
    unsafe { (*file.cast::<File>()).path.as_ref().cloned() }
}

fn note_file(file: *mut ffi::sqlite3_file, event: impl FnOnce(String) -> Event) {
    if let Some(path) = path_of(file) {
        note(&path, event);
    }
}

unsafe extern "C" fn write(file: *mut ffi::sqlite3_file, from: *const c_void, count: c_int, at: i64) -> c_int {
    if let Some(code) = fails(path_of(file).as_ref()) {
        return code;
    }
    // SAFETY: SQLite gives `count` bytes.
    let bytes = unsafe { std::slice::from_raw_parts(from.cast::<u8>(), count as usize) };
    note_file(file, |name| Event::Write { file: name, at: at as usize, bytes: bytes.to_vec() });
    // SAFETY: as it was called.
    unsafe { real_write(file, from, count, at) }
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: i64) -> c_int {
    note_file(file, |name| Event::Truncate { file: name, size: size as usize });
    // SAFETY: as it was called.
    unsafe { real_truncate(file, size) }
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _flags: c_int) -> c_int {
    if let Some(code) = fails(path_of(file).as_ref()) {
        // What a disk says to a sync that fails is that it failed, whatever the reason.
        return if code == ffi::SQLITE_FULL { code } else { ffi::SQLITE_IOERR_FSYNC };
    }
    note_file(file, |name| Event::Sync { file: name });
    // SAFETY: SQLite syncs open files only.
    if unsafe { std::mem::take(&mut (*file.cast::<File>()).syncs_folder) } {
        note_file(file, |_| Event::SyncFolder);
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: the path was made by `open` and is given back once.
    unsafe {
        let path = std::mem::replace(&mut (*file.cast::<File>()).path, std::ptr::null_mut());
        if !path.is_null() {
            drop(Box::from_raw(path));
        }
        real_close(file)
    }
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

unsafe extern "C" fn open(
    vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: `pAppData` is the real file system, and SQLite gives memory for both files.
    unsafe {
        let below = (*vfs).pAppData.cast::<ffi::sqlite3_vfs>();
        (*file).pMethods = std::ptr::null();
        let outcome = ((*below).xOpen.expect("a method"))(below, name, real(file), flags, out);
        if outcome == ffi::SQLITE_OK {
            let path = || Box::into_raw(Box::new(PathBuf::from(CStr::from_ptr(name).to_string_lossy().into_owned())));
            (*file.cast::<File>()).path = if name.is_null() { std::ptr::null_mut() } else { path() };
            let log = ffi::SQLITE_OPEN_WAL | ffi::SQLITE_OPEN_MAIN_JOURNAL | ffi::SQLITE_OPEN_SUPER_JOURNAL;
            (*file.cast::<File>()).syncs_folder = flags & ffi::SQLITE_OPEN_CREATE != 0 && flags & log != 0;
            (*file).pMethods = &raw const METHODS;
        }
        outcome
    }
}

unsafe extern "C" fn delete(vfs: *mut ffi::sqlite3_vfs, name: *const c_char, sync: c_int) -> c_int {
    // SAFETY: as for `open`; the name is a C string.
    unsafe {
        let path = PathBuf::from(CStr::from_ptr(name).to_string_lossy().into_owned());
        note(&path, |name| Event::Delete { file: name });
        if sync != 0 {
            note(&path, |_| Event::SyncFolder);
        }
        let below = (*vfs).pAppData.cast::<ffi::sqlite3_vfs>();
        ((*below).xDelete.expect("a method"))(below, name, 0)
    }
}

/// Makes this the file system of every database that is opened from now on.
fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: the structure lives for ever, and its other methods do not look at which file system they were called for.
        unsafe {
            let below = ffi::sqlite3_vfs_find(std::ptr::null());
            let mut vfs = *below;
            vfs.szOsFile += size_of::<File>() as c_int;
            vfs.zName = c"recording".as_ptr();
            vfs.pNext = std::ptr::null_mut();
            vfs.pAppData = below.cast();
            vfs.xOpen = Some(open);
            vfs.xDelete = Some(delete);
            assert_eq!(ffi::sqlite3_vfs_register(Box::into_raw(Box::new(vfs)), 1), ffi::SQLITE_OK);
        }
    });
}

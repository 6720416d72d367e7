//! Downloads over HTTPS into the cache: several mirrors, pinned checksums, whole files or none.

use std::fs::{File, TryLockError};
use std::io::{IsTerminal, Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sha2::{Digest, Sha256};
use ureq::{Agent, Error as HttpError, Timeout};

use super::fetch::{Bundle, PublishedFile, announce};

/// Begins the names of files that are not whole yet.
const PART: &str = ".part-";

/// Set when no mirror could be reached: the next data set of this process need not find that out again.
static NO_NETWORK: AtomicBool = AtomicBool::new(false);

/// How long to wait for what.
pub(super) struct Network {
    /// Instead of the bundle's mirrors, for tests.
    pub(super) mirrors: Option<Vec<String>>,
    /// Looking up a name.
    pub(super) resolve: Duration,
    /// Opening a connection.
    pub(super) connect: Duration,
    /// From the request to the first line of the answer.
    pub(super) response: Duration,
    /// Between two pieces of a file.
    pub(super) read: Duration,
    /// Until any mirror has answered at all: after this the machine counts as offline.
    pub(super) first_contact: Duration,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            mirrors: None,
            resolve: Duration::from_secs(2),
            connect: Duration::from_secs(5),
            response: Duration::from_secs(10),
            read: Duration::from_secs(15),
            first_contact: Duration::from_secs(5),
        }
    }
}

/// Why one mirror did not give one file.
enum Failure {
    /// Nobody answered.
    Unreachable(String),
    /// Somebody answered with something else than the file.
    Refused(String),
    /// The file could not be written here: no other mirror will help.
    Local(String),
}

/// Brings all files of `bundle` into `folder`. Returns, as text, what happened at each mirror if that can't be done.
///
/// Another process that wants the same waits for this one and then finds the files there.
pub(super) fn download(
    bundle: &Bundle,
    folder: &Path,
    network: &Network,
    quiet: bool,
) -> Result<(), String> {
    let real_mirrors = network.mirrors.is_none();
    if real_mirrors && NO_NETWORK.load(Ordering::Relaxed) {
        return Err("no network".into());
    }
    let cannot_write = |error| format!("{}: {error}", folder.display());
    std::fs::create_dir_all(folder).map_err(cannot_write)?;
    let _lock = lock(bundle, folder, quiet).map_err(cannot_write)?;
    remove_parts(folder);

    let mut mirrors: Vec<String> = match &network.mirrors {
        Some(mirrors) => mirrors.clone(),
        None => bundle.mirrors.iter().map(|url| url.to_string()).collect(),
    };
    let bar = progress_bar(bundle, folder, quiet);
    let started = Instant::now();
    let mut contacted = false;
    for file in bundle.files {
        if super::fetch::file_in(folder, file.name).is_some() {
            continue;
        }
        let mut failures = Vec::new();
        let mut done = false;
        for i in 0..mirrors.len() {
            let mut patience = network.first_contact.saturating_sub(started.elapsed());
            if contacted {
                patience = Duration::MAX;
            } else if patience.is_zero() {
                break;
            }
            let url = format!("{}{}", mirrors[i], file.name);
            let before = bar.position();
            match fetch_file(&url, file, folder, network, patience, &bar) {
                Ok(()) => {
                    // The mirror that works is asked first for the next file.
                    mirrors.swap(0, i);
                    (contacted, done) = (true, true);
                    break;
                }
                Err(Failure::Unreachable(why)) => failures.push(format!("{url}: {why}")),
                Err(Failure::Refused(why)) => {
                    contacted = true;
                    failures.push(format!("{url}: {why}"));
                }
                Err(Failure::Local(why)) => return Err(why),
            }
            bar.set_position(before);
        }
        if !done {
            bar.finish_and_clear();
            if !contacted && real_mirrors {
                NO_NETWORK.store(true, Ordering::Relaxed);
            }
            return Err(match contacted {
                true => failures.join("; "),
                false => format!("none of {} mirrors can be reached", mirrors.len()),
            });
        }
    }
    bar.finish_and_clear();
    Ok(())
}

/// Downloads one file to `folder`, where it appears under its name only when its size and checksum are right.
fn fetch_file(
    url: &str,
    file: &PublishedFile,
    folder: &Path,
    network: &Network,
    patience: Duration,
    bar: &ProgressBar,
) -> Result<(), Failure> {
    let agent: Agent = Agent::config_builder()
        .https_only(network.mirrors.is_none())
        .timeout_resolve(Some(network.resolve.min(patience)))
        .timeout_connect(Some(network.connect.min(patience)))
        .timeout_recv_response(Some(network.response))
        .timeout_per_read(Some(network.read))
        .accept_encoding("identity") // the file as it is stored: its checksum is of the packed bytes
        .max_redirects(5)
        .build()
        .into();
    let mut response = agent.get(url).call().map_err(|error| match error {
        HttpError::StatusCode(code) => Failure::Refused(format!("the server answers {code}")),
        HttpError::HostNotFound
        | HttpError::ConnectionFailed
        | HttpError::Io(_)
        | HttpError::Timeout(Timeout::Resolve | Timeout::Connect) => {
            Failure::Unreachable(error.to_string())
        }
        other => Failure::Refused(other.to_string()),
    })?;
    if response.body().mime_type() == Some("text/html") {
        let why = "a web page came instead of the file (a login page of the network?)";
        return Err(Failure::Refused(why.into()));
    }
    if let Some(length) = response
        .body()
        .content_length()
        .filter(|&n| n != file.bytes)
    {
        let why = format!(
            "the server announces {length} bytes instead of {}",
            file.bytes
        );
        return Err(Failure::Refused(why));
    }

    let local = |error: std::io::Error| Failure::Local(format!("{}: {error}", folder.display()));
    let mut part = tempfile::Builder::new()
        .prefix(PART)
        .tempfile_in(folder)
        .map_err(local)?;
    let mut body = response
        .body_mut()
        .with_config()
        .limit(file.bytes + 1)
        .reader();
    let mut hash = Sha256::new();
    let mut received = 0;
    let mut buffer = vec![0; 1 << 16];
    loop {
        let n = body.read(&mut buffer).map_err(|error| {
            Failure::Refused(format!("{error} after {received} of {} bytes", file.bytes))
        })?;
        if n == 0 {
            break;
        }
        received += n as u64;
        hash.update(&buffer[..n]);
        part.write_all(&buffer[..n]).map_err(local)?;
        bar.inc(n as u64);
    }
    if received != file.bytes {
        let why = format!("{received} bytes came instead of {}", file.bytes);
        return Err(Failure::Refused(why));
    }
    let sha256: String = hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    if sha256 != file.sha256 {
        let why = format!("another file than expected came (SHA-256 {sha256})");
        return Err(Failure::Refused(why));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::Permissions::from_mode(0o644);
        part.as_file().set_permissions(mode).map_err(local)?;
    }
    part.as_file().sync_all().map_err(local)?;
    part.persist(folder.join(file.name))
        .map_err(|error| local(error.error))?;
    Ok(())
}

/// Takes the lock of `folder`; waits for a process that has it. Dropping the file gives it back.
fn lock(bundle: &Bundle, folder: &Path, quiet: bool) -> std::io::Result<File> {
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(folder.join(".lock"))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let name = bundle.name;
            announce(
                &format!("{name}: waiting for another process that downloads it"),
                quiet,
            );
            file.lock()?;
        }
        Err(TryLockError::Error(error)) => return Err(error),
    }
    Ok(file)
}

/// Removes what a process that was killed has left. Only called with the lock held.
fn remove_parts(folder: &Path) {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries {
        if entry.file_name().to_string_lossy().starts_with(PART) {
            // Harmless if it stays.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// A bar over the bytes of all files on a terminal; nothing elsewhere.
fn progress_bar(bundle: &Bundle, folder: &Path, quiet: bool) -> ProgressBar {
    let missing = bundle.files.iter();
    let missing = missing.filter(|file| super::fetch::file_in(folder, file.name).is_none());
    let total = missing.map(|file| file.bytes).sum();
    let visible = !quiet && std::io::stderr().is_terminal();
    let target = match visible {
        true => ProgressDrawTarget::stderr(),
        false => ProgressDrawTarget::hidden(),
    };
    let bar = ProgressBar::with_draw_target(Some(total), target);
    let template =
        "{prefix}  downloading {bar:30} {bytes} of {total_bytes}  {bytes_per_sec}  {eta} left";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_prefix(bundle.name);
    bar
}

//! Downloads over HTTPS into the cache: several mirrors, pinned checksums, whole files or none.

use std::fs::{File, TryLockError};
use std::io::{IsTerminal, Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sha2::{Digest, Sha256};
use ureq::{Agent, Body, Error as HttpError, Timeout};

use super::fetch::{Bundle, PublishedFile, announce, file_in};

/// Begins the names of files that are not whole yet.
const PART: &str = ".part-";

/// Set when no mirror could be reached: the next data set of this process need not find that out again.
static NO_NETWORK: AtomicBool = AtomicBool::new(false);

/// How long to wait for what, and how to talk to servers.
#[derive(Clone, Debug)]
pub(super) struct Network {
    /// HTTPS only, through the user's proxy if there is one. Off for the tests' own servers.
    pub(super) public: bool,
    /// Looking up a name.
    pub(super) resolve: Duration,
    /// Opening a connection.
    pub(super) connect: Duration,
    /// From the request to the first line of the answer.
    pub(super) response: Duration,
    /// Between two pieces of a file.
    pub(super) read: Duration,
    /// A file that comes more slowly than this many bytes per second ...
    pub(super) slowest: f64,
    /// ... is given up after this time.
    pub(super) grace: Duration,
    /// Until any mirror has answered at all: after this the machine counts as offline.
    pub(super) first_contact: Duration,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            public: true,
            resolve: Duration::from_secs(2),
            connect: Duration::from_secs(3),
            response: Duration::from_secs(10),
            read: Duration::from_secs(15),
            slowest: 4096.0,
            grace: Duration::from_secs(30),
            // Enough for three mirrors behind a wall that swallows packets.
            first_contact: Duration::from_secs(8),
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
    if network.public && NO_NETWORK.load(Ordering::Relaxed) {
        return Err("no network".into());
    }
    let cannot_write = |error| format!("{}: {error}", folder.display());
    std::fs::create_dir_all(folder).map_err(cannot_write)?;
    let _lock = lock(bundle, folder, quiet).map_err(cannot_write)?;
    remove_parts(folder);

    let is_missing = |file: &&PublishedFile| file_in(folder, file.name).is_none();
    let missing: Vec<&PublishedFile> = bundle.files.iter().filter(is_missing).collect();
    let bar = progress_bar(
        bundle.name,
        missing.iter().map(|file| file.bytes).sum(),
        quiet,
    );
    let mut mirrors = Mirrors {
        addresses: bundle.mirrors.to_vec(),
        network,
        started: Instant::now(),
        contacted: false,
    };
    let mut files = missing.into_iter();
    let outcome = files.try_for_each(|file| mirrors.fetch(file, folder, &bar));
    bar.finish_and_clear();
    if network.public && !mirrors.contacted && outcome.is_err() {
        NO_NETWORK.store(true, Ordering::Relaxed);
    }
    outcome
}

/// The mirrors of a set, the best first.
struct Mirrors<'a> {
    addresses: Vec<&'a str>,
    network: &'a Network,
    started: Instant,
    /// Whether any of them has answered.
    contacted: bool,
}

impl Mirrors<'_> {
    /// Brings `file` into `folder` from the first mirror that has it.
    fn fetch(
        &mut self,
        file: &PublishedFile,
        folder: &Path,
        bar: &ProgressBar,
    ) -> Result<(), String> {
        let mut failures = Vec::new();
        let before = bar.position();
        for i in 0..self.addresses.len() {
            // Until somebody answers, all attempts together have `first_contact`.
            let patience = match self.contacted {
                true => Duration::MAX,
                false => self
                    .network
                    .first_contact
                    .saturating_sub(self.started.elapsed()),
            };
            if patience.is_zero() {
                break;
            }
            let url = format!("{}{}", self.addresses[i], file.name);
            let why = match fetch_file(&url, file, folder, self.network, patience, bar) {
                Ok(()) => {
                    self.contacted = true;
                    // The mirror that works is asked first for the next file.
                    self.addresses.swap(0, i);
                    return Ok(());
                }
                Err(Failure::Unreachable(why)) => why,
                Err(Failure::Refused(why)) => {
                    self.contacted = true;
                    why
                }
                Err(Failure::Local(why)) => {
                    self.contacted = true;
                    return Err(why);
                }
            };
            failures.push(format!("{url}: {why}"));
            bar.set_position(before);
        }
        Err(match self.contacted {
            true => failures.join("; "),
            false => format!("none of {} mirrors can be reached", self.addresses.len()),
        })
    }
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
    let body = request(url, network, patience)?;
    if body.mime_type() == Some("text/html") {
        let why = "a web page came instead of the file (a login page of the network?)";
        return Err(Failure::Refused(why.into()));
    }
    if let Some(length) = body.content_length().filter(|&n| n != file.bytes) {
        let bytes = file.bytes;
        let why = format!("the server announces {length} bytes instead of {bytes}");
        return Err(Failure::Refused(why));
    }

    let local = |error: std::io::Error| Failure::Local(format!("{}: {error}", folder.display()));
    let part = tempfile::Builder::new().prefix(PART).tempfile_in(folder);
    let mut part = part.map_err(local)?;
    // One byte more than wanted is enough to see that it is too much.
    let mut body = body.into_reader().take(file.bytes + 1);
    let mut hash = Sha256::new();
    let mut received = 0_u64;
    let mut buffer = vec![0; 1 << 16];
    let started = Instant::now();
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
        let time = started.elapsed();
        if time > network.grace && (received as f64) < network.slowest * time.as_secs_f64() {
            let seconds = time.as_secs();
            let why = format!(
                "too slow: {received} of {} bytes in {seconds} s",
                file.bytes
            );
            return Err(Failure::Refused(why));
        }
    }
    if received != file.bytes {
        let more = if received > file.bytes {
            "more than "
        } else {
            ""
        };
        let received = received.min(file.bytes);
        let why = format!("{more}{received} bytes came instead of {}", file.bytes);
        return Err(Failure::Refused(why));
    }
    let sha256: String = hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    if !file.sha256.is_empty() && sha256 != file.sha256 {
        let why = format!("another file than expected came (SHA-256 {sha256})");
        return Err(Failure::Refused(why));
    }
    // `tempfile` makes private files; a cache may be shared.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::Permissions::from_mode(0o644);
        part.as_file().set_permissions(mode).map_err(local)?;
    }
    part.as_file().sync_all().map_err(local)?;
    let path = folder.join(file.name);
    part.persist(path).map_err(|error| local(error.error))?;
    Ok(())
}

/// The body of the answer to a GET request.
fn request(url: &str, network: &Network, patience: Duration) -> Result<Body, Failure> {
    let mut config = Agent::config_builder()
        .https_only(network.public)
        .timeout_resolve(Some(network.resolve.min(patience)))
        .timeout_connect(Some(network.connect.min(patience)))
        .timeout_recv_response(Some(network.response))
        .timeout_per_read(Some(network.read))
        .accept_encoding("identity") // the file as it is stored: its checksum is of the packed bytes
        .max_redirects(5);
    if !network.public {
        config = config.proxy(None);
    }
    let agent = Agent::new_with_config(config.build());
    let response = agent.get(url).call().map_err(|error| match error {
        HttpError::StatusCode(code) => Failure::Refused(format!("the server answers {code}")),
        HttpError::HostNotFound
        | HttpError::ConnectionFailed
        | HttpError::Io(_)
        | HttpError::Timeout(Timeout::Resolve | Timeout::Connect) => {
            Failure::Unreachable(error.to_string())
        }
        other => Failure::Refused(other.to_string()),
    })?;
    Ok(response.into_body())
}

/// Takes the lock of `folder`; waits for a process that has it. Dropping the file gives it back.
fn lock(bundle: &Bundle, folder: &Path, quiet: bool) -> std::io::Result<File> {
    let mut options = File::options();
    let options = options.create(true).truncate(false).write(true);
    let file = options.open(folder.join(".lock"))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let name = bundle.name;
            let text = format!("{name}: waiting for another process that downloads it");
            announce(&text, quiet);
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
fn progress_bar(name: &'static str, bytes: u64, quiet: bool) -> ProgressBar {
    let visible = !quiet && std::io::stderr().is_terminal();
    let target = match visible {
        true => ProgressDrawTarget::stderr(),
        false => ProgressDrawTarget::hidden(),
    };
    let bar = ProgressBar::with_draw_target(Some(bytes), target);
    let template =
        "{prefix}  downloading {bar:30} {bytes} of {total_bytes}  {bytes_per_sec}  {eta} left";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_prefix(name);
    bar
}

#[cfg(test)]
mod tests;

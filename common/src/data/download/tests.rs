//! The download layer against servers of the tests' own: good ones, slow ones, liars.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, ErrorKind};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Barrier, Mutex};

use super::*;

/// What a server does with a request for a file that consists of `body`.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Answer {
    Whole,
    /// Without Content-Length: the end of the connection is the end of the file.
    WholeUnannounced,
    Redirect,
    RedirectForEver,
    NotFound,
    Broken,
    WebPage,
    /// Content-Length one byte less, and that many bytes.
    AnnouncesLess,
    /// Content-Length one byte more.
    AnnouncesMore,
    /// The right Content-Length, half of the bytes.
    CutsOff,
    ShorterUnannounced,
    LongerUnannounced,
    /// As many bytes as announced, one of them changed.
    WrongByte,
    /// Not a word.
    Silent,
    /// The head and half of the file, then nothing more.
    Stalls,
    /// A byte at a time.
    Drips,
    NotHttp,
}

/// All answers that are no file, with a part of what is said about them.
const BAD: [(Answer, &str); 14] = [
    (Answer::RedirectForEver, "redirect"),
    (Answer::NotFound, "the server answers 404"),
    (Answer::Broken, "the server answers 503"),
    (Answer::WebPage, "a web page came instead of the file"),
    (
        Answer::AnnouncesLess,
        "announces 299999 bytes instead of 300000",
    ),
    (
        Answer::AnnouncesMore,
        "announces 300001 bytes instead of 300000",
    ),
    (Answer::CutsOff, "after 150000 of 300000 bytes"),
    (
        Answer::ShorterUnannounced,
        "150000 bytes came instead of 300000",
    ),
    (Answer::LongerUnannounced, "more than 300000 bytes came"),
    (
        Answer::WrongByte,
        "another file than expected came (SHA-256 ",
    ),
    (Answer::Silent, "timeout"),
    (Answer::Stalls, "after 150000 of 300000 bytes"),
    (Answer::Drips, "too slow"),
    (Answer::NotHttp, "http"),
];

/// A server on this machine; ends with the process.
struct Server {
    url: &'static str,
    /// The paths asked for, in order.
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn new(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/set/", listener.local_addr().unwrap()).leak();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = requests.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let seen = seen.clone();
                // A client that goes away is part of the tests.
                std::thread::spawn(move || serve(stream, answer, &seen));
            }
        });
        Self { url, requests }
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn serve(mut stream: TcpStream, answer: Answer, seen: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut request = String::new();
    reader.read_line(&mut request)?;
    let mut line = String::new();
    while reader.read_line(&mut line)? > 2 {
        line.clear();
    }
    let path = request.split(' ').nth(1).ok_or(ErrorKind::InvalidData)?;
    seen.lock().unwrap().push(path.to_string());

    let mut body = content(path.rsplit('/').next().unwrap_or(path));
    let (whole, half) = (body.len(), body.len() / 2);
    let head = |status: &str, length: usize| {
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")
    };
    let unannounced = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_string();
    let (head, body) = match answer {
        Answer::Whole => (head("200 OK", whole), body),
        Answer::WholeUnannounced => (unannounced, body),
        Answer::Redirect if path.starts_with("/other/") => (head("200 OK", whole), body),
        Answer::Redirect => {
            let status = format!(
                "302 Found\r\nLocation: {}",
                path.replace("/set/", "/other/")
            );
            (head(&status, 0), vec![])
        }
        Answer::RedirectForEver => (head(&format!("302 Found\r\nLocation: {path}"), 0), vec![]),
        Answer::NotFound => (head("404 Not Found", 4), b"gone".to_vec()),
        Answer::Broken => (head("503 Service Unavailable", 0), vec![]),
        Answer::WebPage => (
            head("200 OK\r\nContent-Type: text/html; charset=utf-8", whole),
            body,
        ),
        Answer::AnnouncesLess => (head("200 OK", whole - 1), body[1..].to_vec()),
        Answer::AnnouncesMore => (head("200 OK", whole + 1), [&body[..], b"!"].concat()),
        Answer::CutsOff | Answer::Stalls => (head("200 OK", whole), body[..half].to_vec()),
        Answer::ShorterUnannounced => (unannounced, body[..half].to_vec()),
        Answer::LongerUnannounced => (unannounced, [&body[..], b"!"].concat()),
        Answer::WrongByte => {
            body[half] ^= 1;
            (head("200 OK", whole), body)
        }
        Answer::Drips => (head("200 OK", whole), vec![]),
        Answer::NotHttp => ("SSH-2.0-OpenSSH_9.9\r\n".into(), vec![]),
        Answer::Silent => (String::new(), vec![]),
    };
    stream.write_all(head.as_bytes())?;
    stream.write_all(&body)?;
    match answer {
        Answer::Drips => loop {
            stream.write_all(b"x")?;
            std::thread::sleep(Duration::from_millis(10));
        },
        // Until the client hangs up.
        Answer::Silent | Answer::Stalls => reader.read_line(&mut line).map(|_| ()),
        _ => Ok(()),
    }
}

/// The file of this name.
fn content(name: &str) -> Vec<u8> {
    let (size, factor) = match name {
        "large.bin" => (300_000, 31),
        _ => (10, 7),
    };
    (0..size)
        .map(|i: u32| (i.wrapping_mul(factor) >> 3) as u8)
        .collect()
}

fn published(name: &'static str) -> PublishedFile {
    let content = content(name);
    let hash = Sha256::digest(&content);
    let sha256: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    PublishedFile {
        name,
        bytes: content.len() as u64,
        sha256: sha256.leak(),
    }
}

/// A set of a large and a small file on these mirrors.
fn bundle(mirrors: &[&'static str]) -> Bundle {
    Bundle {
        name: "Test set",
        folders: &["test-set"],
        accepts_bare: |_| true,
        package: None,
        mirrors: mirrors.to_vec().leak(),
        files: vec![published("large.bin"), published("small.bin.gz")].leak(),
    }
}

/// Plain HTTP, and time enough for a busy machine: no test waits for these.
fn patient() -> Network {
    Network {
        public: false,
        response: Duration::from_secs(30),
        read: Duration::from_secs(30),
        first_contact: Duration::from_secs(30),
        ..Network::default()
    }
}

/// For a server that answers like this.
fn network_for(answer: Answer) -> Network {
    let mut network = patient();
    let short = Duration::from_millis(150);
    match answer {
        Answer::Silent => network.response = short,
        Answer::Stalls => network.read = short,
        Answer::Drips => network.grace = short,
        _ => {}
    }
    network
}

/// The names in a folder, without the lock.
fn names(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name != ".lock").collect()
}

fn assert_whole(folder: &Path) {
    let both = ["large.bin", "small.bin.gz"].map(String::from);
    assert_eq!(names(folder), both.clone().into());
    for name in both {
        assert_eq!(std::fs::read(folder.join(&name)).unwrap(), content(&name));
    }
}

#[test]
fn files_arrive_whole_in_a_folder_that_is_made_for_them() {
    for answer in [Answer::Whole, Answer::WholeUnannounced, Answer::Redirect] {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("cache/test-set");
        let server = Server::new(answer);
        download(&bundle(&[server.url]), &folder, &patient(), true).unwrap();
        assert_whole(&folder);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let file = std::fs::metadata(folder.join("large.bin")).unwrap();
            assert_eq!(file.permissions().mode() & 0o777, 0o644);
        }
        let requests = if answer == Answer::Redirect { 4 } else { 2 };
        assert_eq!(server.requests().len(), requests);
    }
}

#[test]
fn a_bad_answer_is_named_and_leaves_nothing() {
    for (answer, said) in BAD {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::new(answer);
        let set = bundle(&[server.url]);
        let error = download(&set, folder.path(), &network_for(answer), true).unwrap_err();
        assert!(error.contains(said), "{answer:?}: {error}");
        assert!(
            error.contains(&format!("{}large.bin: ", server.url)),
            "{answer:?}: {error}"
        );
        assert_eq!(names(folder.path()), BTreeSet::new(), "{answer:?}");
    }
}

#[test]
fn after_a_bad_mirror_a_good_one_is_asked_and_then_stays_first() {
    for (answer, _) in BAD {
        let folder = tempfile::tempdir().unwrap();
        let (bad, good) = (Server::new(answer), Server::new(Answer::Whole));
        let set = bundle(&[bad.url, good.url]);
        download(&set, folder.path(), &network_for(answer), true)
            .unwrap_or_else(|error| panic!("{answer:?}: {error}"));
        assert_whole(folder.path());
        assert_eq!(good.requests(), ["/set/large.bin", "/set/small.bin.gz"]);
        let mut asked = bad.requests();
        asked.dedup();
        assert_eq!(asked, ["/set/large.bin"], "{answer:?}");
    }
}

#[test]
fn a_mirror_nobody_answers_at_is_passed_over() {
    // Nobody listens at the first of all ports.
    let dead = "http://127.0.0.1:1/";
    let folder = tempfile::tempdir().unwrap();
    let error = download(&bundle(&[dead, dead]), folder.path(), &patient(), true).unwrap_err();
    assert_eq!(error, "none of 2 mirrors can be reached");
    let good = Server::new(Answer::Whole);
    download(&bundle(&[dead, good.url]), folder.path(), &patient(), true).unwrap();
    assert_whole(folder.path());
}

#[test]
fn without_time_left_for_a_first_contact_nobody_is_asked() {
    let server = Server::new(Answer::Whole);
    let folder = tempfile::tempdir().unwrap();
    let network = Network {
        first_contact: Duration::ZERO,
        ..patient()
    };
    assert!(download(&bundle(&[server.url]), folder.path(), &network, true).is_err());
    assert!(server.requests().is_empty());
}

#[test]
fn two_at_once_download_once() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("test-set");
    let server = Server::new(Answer::Whole);
    let set = bundle(&[server.url]);
    let start = Barrier::new(4);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                start.wait();
                download(&set, &folder, &patient(), true).unwrap();
                assert_whole(&folder);
            });
        }
    });
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn who_waits_for_the_lock_finds_the_files_of_the_one_who_had_it() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::new(Answer::Whole);
    let set = bundle(&[server.url]);
    let held = lock(&set, folder.path(), true).unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| download(&set, folder.path(), &patient(), true));
        for name in ["large.bin", "small.bin.gz"] {
            std::fs::write(folder.path().join(name), content(name)).unwrap();
        }
        drop(held);
        waiting.join().unwrap().unwrap();
    });
    assert_whole(folder.path());
    assert!(server.requests().is_empty());
}

#[test]
fn what_is_there_stays_and_what_a_killed_process_left_goes() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("large.bin"), b"mine").unwrap();
    std::fs::write(folder.path().join(".part-x1"), b"half").unwrap();
    let server = Server::new(Answer::Whole);
    download(&bundle(&[server.url]), folder.path(), &patient(), true).unwrap();
    assert_eq!(server.requests(), ["/set/small.bin.gz"]);
    assert_eq!(
        std::fs::read(folder.path().join("large.bin")).unwrap(),
        b"mine"
    );
    assert_eq!(names(folder.path()).len(), 2);
}

#[test]
fn a_folder_that_cannot_be_made_is_named_before_anybody_is_asked() {
    let home = tempfile::tempdir().unwrap();
    let blocker = home.path().join("blocker");
    std::fs::write(&blocker, b"a file, not a folder").unwrap();
    let server = Server::new(Answer::Whole);
    let folder = blocker.join("test-set");
    let error = download(&bundle(&[server.url]), &folder, &patient(), true).unwrap_err();
    assert!(error.contains("blocker"), "{error}");
    assert!(server.requests().is_empty());
}

#[test]
fn users_get_https_only() {
    let server = Server::new(Answer::Whole);
    let folder = tempfile::tempdir().unwrap();
    let set = bundle(&[server.url]);
    let error = download(&set, folder.path(), &Network::default(), true).unwrap_err();
    assert!(error.contains("https"), "{error}");
    assert!(server.requests().is_empty());
    for address in crate::data::mnist::MNIST.mirrors {
        assert!(
            address.starts_with("https://") && address.ends_with('/'),
            "{address}"
        );
    }
}
